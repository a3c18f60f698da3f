# Time x address. map.rgb: pixels; break.tsv: request, break; for a terminal cells.tsv: column, row, character.
load COMMON
set xlabel 'requests'
set ylabel sprintf('address (%s from the start of the heap)', UNIT)
set format x COUNTED(REQUESTS)
if (REQUESTS < 8) { set xtics 1 }
if (DUMB) {
    # A cell on each character between the borders: half a cell of axis left and right of the outer ones' middles.
    W = REQUESTS*1.0/COLUMNS; H = TOP*1.0/ROWS
    set lmargin 10; set rmargin 2; set tmargin 3; set bmargin 3
    set xrange [-W:REQUESTS]
    set yrange [-H:TOP]
    set ylabel UNIT
    unset key
    unset title
    set label 1 TITLE at graph 0.5,1 center offset 0,2
    set label 2 (RIGHT ? 'peak v' : 'v peak') at PEAK_CELL*W,TOP offset 0,1
    if (RIGHT) { set label 2 right offset 1,1 }
    set xtics out nomirror; set ytics out nomirror
    plot 'cells.tsv' using ($1*W):($2*H):3 with labels
} else {
    unset grid
    set xrange [0:REQUESTS]
    set yrange [0:TOP*1.06]
    load KEY_BELOW
    set arrow 1 from PEAK_AT,0 to PEAK_AT,TOP*1.02 nohead dt 2 lc rgb INK front
    set label 1 ' peak ' at PEAK_AT,TOP*1.03 font SMALL textcolor rgb INK front
    if (RIGHT) { set label 1 right }
    w = REQUESTS*1.0/COLUMNS # of a column; its break, as its blocks, holds from its left to its right
    plot 'map.rgb' binary array=(COLUMNS,ROWS) format='%uchar' dx=REQUESTS*1.0/COLUMNS dy=TOP*1.0/ROWS \
             origin=(REQUESTS*0.5/COLUMNS,TOP*0.5/ROWS) with rgbimage notitle, \
         'break.tsv' using ($1-w):2 with steps lc rgb ACCENT lw 1.4 title 'break', \
         '' using ($1-w):2:(w):(0) with vectors nohead lc rgb ACCENT lw 1.4 notitle, \
         NaN with boxes fc rgb PAYLOAD title 'payload', \
         NaN with boxes fc rgb OVERHEAD title 'overhead', \
         NaN with boxes fc rgb HOLE title 'free, was used', \
         NaN with boxes fc rgb UNUSED fs solid 1.0 border lc rgb FAINT title 'never used'
}
