# Trace by trace. a0.tsv ..: place, utilization in %, relative speed, failed; ceiling.tsv: place, ceiling, ceiling of
# blocks with headers, name; key.tsv: x, y, which, text.
load COMMON
set yrange [COUNT-0.4:-0.6]
if (DUMB) {
    unset key
    unset ytics
    set xrange [0:105]
    set xlabel 'utilization (percent); | ceiling'
    plot 'ceiling.tsv' using 2:1 with points pt '|', \
         for [i=1:SUBJECTS] 'a'.(i-1).'.tsv' using 2:1:(SUBJECTS == 1 ? '#' : 'abcdefgh'[i:i]) with labels
} else {
    unset title
    set multiplot title TITLE
    set tmargin at screen 1 - 55.0/HEIGHT
    set bmargin at screen 120.0/HEIGHT
    array SHAPE[8] = [7, 5, 9, 13, 6, 4, 8, 12]
    array HUE[8] = [PAYLOAD, METADATA, OTHER, INK, 0x8E44AD, 0xC0392B, 0x2980B9, 0x7F8C8D]
    # Beyond the allocators: the ceiling, the one with headers, a failure.
    SHAPE_OF(n) = n == 8 ? 11 : n == 9 ? 10 : n == 10 ? 2 : SHAPE[int(n)+1]
    HUE_OF(n) = n == 8 || n == 9 ? FAINT : n == 10 ? ACCENT : HUE[int(n)+1]
    unset key
    set border 1
    set grid xtics ytics lc rgb 0xE3E3E3 lw 0.6 lt 1
    set lmargin at screen 0.16; set rmargin at screen 0.56
    set xrange [0:103]
    set xtics 0,20,100
    set ytics scale 0 font SMALL
    set xlabel 'utilization (percent)'
    plot 'ceiling.tsv' using 2:1:yticlabels(BESIDE(strcol(4))) with points pt 11 ps 0.7 lc rgb FAINT, \
         '' using 3:1 with points pt 10 ps 0.7 lc rgb FAINT, \
         for [i=0:SUBJECTS-1] 'a'.i.'.tsv' using 2:1 with points pt SHAPE[i+1] ps 0.8 lc rgb HUE[i+1], \
         for [i=0:SUBJECTS-1] 'a'.i.'.tsv' using ($4 == 1 ? 3 : NaN):1 with points pt 2 ps 0.9 lw 1.5 lc rgb ACCENT
    set lmargin at screen 0.60; set rmargin at screen 0.97
    set autoscale x
    set logscale x
    unset xtics
    set xtics autofreq nomirror out textcolor rgb INK
    set format x '%g'
    set format y ''
    set ytics 1
    set xlabel TIMED ? sprintf('speed (%s = 1)', REFERENCE) : 'speed'
    set arrow 1 from 1,graph 0 to 1,graph 1 nohead dt 2 lc rgb INK
    if (!TIMED) {
        unset arrow 1
        unset logscale x
        set xrange [0:1]
        set label 2 'not timed' at graph 0.5,0.5 center textcolor rgb INK
    }
    plot for [i=0:SUBJECTS-1] 'a'.i.'.tsv' using 3:1 with points pt SHAPE[i+1] ps 0.8 lc rgb HUE[i+1], \
         NaN
    # The key, across both.
    unset label; unset arrow; unset border; unset xlabel; unset grid; unset logscale
    unset xtics; unset ytics
    set lmargin at screen 0; set rmargin at screen 1
    set tmargin at screen 46.0/HEIGHT; set bmargin at screen 6.0/HEIGHT
    set xrange [0:1]; set yrange [0:1]
    plot 'key.tsv' using 1:2:(SHAPE_OF($3)):(HUE_OF($3)) with points pt variable lc rgb variable ps 0.9, \
         '' using ($1+0.012):2:4 with labels left font SMALL tc rgb INK
    unset multiplot
}
