# Live payload and heap size over requests. series.tsv: request, live, heap.
load COMMON
set xlabel 'requests'
set ylabel sprintf('bytes (%s)', UNIT)
set xrange [0:REQUESTS]
set yrange [0:TOP*1.12]
set format x COUNTED(REQUESTS)
if (REQUESTS < 8) { set xtics 1 }
set key top left
if (DUMB) {
    unset key
    set label 1 (RIGHT ? 'peak ^' : '^ peak') at PEAK_AT,PEAK offset 0,-1 front
    if (RIGHT) { set label 1 right }
    plot 'series.tsv' using 1:3 with points pt '*', '' using 1:2 with points pt '#'
} else {
    load KEY_BELOW
    set arrow 1 from PEAK_AT,0 to PEAK_AT,PEAK nohead dt 2 lc rgb INK front
    set label 1 PEAK_WORDS at PEAK_AT,TOP*1.06 font SMALL textcolor rgb INK front
    if (RIGHT) { set label 1 right }
    set label 2 '' at PEAK_AT,PEAK point pt 7 ps 0.8 lc rgb INK front
    plot 'series.tsv' using 1:2:3 with filledcurves fc rgb HOLE title 'waste', \
         '' using 1:2 with filledcurves y1=0 fc rgb PAYLOAD title 'live payload', \
         '' using 1:3 with lines lc rgb ACCENT lw 1.8 title 'heap size (break)', \
         NaN with points pt 7 ps 0.8 lc rgb INK title 'peak of the payload'
}
