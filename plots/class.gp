# Scores, and how far repetitions lie apart. scores.tsv: middle of a bar, how many; spreads.tsv: rank in percent, median
# trace, worst trace.
load COMMON
unset key
if (MOST <= 8) { set ytics 1 }
if (DUMB) {
    set xrange [0:HIGH]
    set yrange [0:MOST+1]
    set xlabel 'score'
    plot 'scores.tsv' using 1:2 with impulses
} else {
    unset title
    set multiplot layout 1,2 title TITLE."\n".WORDS
    set tmargin 1.5
    set bmargin 6
    set xrange [0:HIGH]
    set yrange [0:MOST*1.12]
    set grid noxtics
    set xlabel 'score'
    set ylabel 'results'
    set boxwidth WIDTH_OF_BIN*0.92
    set arrow 1 from MEDIAN,graph 0 to MEDIAN,graph 1 nohead dt 2 lc rgb ACCENT front
    set label 1 ' median ' at MEDIAN,graph 0.97 font SMALL textcolor rgb ACCENT front
    if (LEFT) { set label 1 right }
    plot 'scores.tsv' using 1:2 with boxes fc rgb PAYLOAD
    set ytics autofreq
    unset arrow 1
    unset label 1
    set xrange [0:100]
    set autoscale y
    set grid
    set xlabel 'results, by spread (percent)'
    set ylabel 'repetitions apart (percent of their median)'
    if (SPREADS == 0) {
        set yrange [0:1]
        set label 2 'not timed' at graph 0.5,0.5 center
    } else { set logscale y }
    set format y '%g'
    set key at graph 0.03,0.97 left top Left reverse
    plot 'spreads.tsv' using 1:2 with points pt 7 ps 0.6 lc rgb PAYLOAD title 'median trace', \
         '' using 1:3 with points pt 6 ps 0.6 lc rgb METADATA title 'worst trace'
    unset multiplot
}
