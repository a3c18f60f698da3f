# Time x address. map.rgb: pixels; break.tsv: request, break; for a terminal cells.tsv: column, row, character.
load COMMON
set xlabel 'requests'
set ylabel sprintf('address (%s from the start of the heap)', UNIT)
set format x '%.0s%c'
if (DUMB) {
    set xrange [0:REQUESTS]
    set yrange [0:TOP]
    set ylabel UNIT
    unset key
    set arrow 1 from PEAK_AT,0 to PEAK_AT,TOP nohead
    plot 'cells.tsv' using (($1+0.5)*REQUESTS/COLUMNS):(($2+0.5)*TOP/ROWS):3 with labels
} else {
    unset grid
    set xrange [0:REQUESTS]
    set yrange [0:TOP*1.06]
    load KEY_BELOW
    set arrow 1 from PEAK_AT,0 to PEAK_AT,TOP*1.02 nohead dt 2 lc rgb INK front
    set label 1 ' peak ' at PEAK_AT,TOP*1.03 font SMALL textcolor rgb INK front
    if (RIGHT) { set label 1 right }
    plot 'map.rgb' binary array=(COLUMNS,ROWS) format='%uchar' dx=REQUESTS*1.0/COLUMNS dy=TOP*1.0/ROWS \
             origin=(REQUESTS*0.5/COLUMNS,TOP*0.5/ROWS) with rgbimage notitle, \
         'break.tsv' using 1:2 with steps lc rgb ACCENT lw 1.4 title 'break', \
         NaN with boxes fc rgb PAYLOAD title 'payload', \
         NaN with boxes fc rgb OVERHEAD title 'overhead', \
         NaN with boxes fc rgb HOLE title 'free, was used', \
         NaN with boxes fc rgb UNUSED fs solid 1.0 border lc rgb FAINT title 'never used'
}
