# Sizes and lifetimes. sizes.tsv, lives.tsv: power of two, percent, smallest value, a bar of characters.
load COMMON
unset key
unset title
if (DUMB) {
    # Bars of characters, one a line: there is no room for columns.
    unset border
    unset xtics
    set ytics scale 0 nomirror
    set xrange [0:1]
    set yrange [LINES-1:0]
    set multiplot
    set tmargin 3; set bmargin 0; set lmargin 6
    set label 1 TITLE at screen 0.5,screen 1 center offset 0,-0.5
    set rmargin WIDTH/2
    set label 2 'bytes asked for' at graph 0,1 offset 0,1
    plot 'sizes.tsv' using (0):0:4:yticlabels(3) with labels left
    unset label 1
    set lmargin WIDTH/2+6; set rmargin 0
    set label 2 'requests until freed'
    plot 'lives.tsv' using (0):0:4:yticlabels(3) with labels left
    unset multiplot
    exit
}
set tmargin 3
set multiplot layout 2,1 title TITLE
set yrange [0:*]
set ylabel 'percent'
set grid noxtics
set xlabel 'size asked for (bytes; each bar up to the next)'
set xtics font SMALL
plot 'sizes.tsv' using 1:2:xticlabels(3) with boxes fc rgb PAYLOAD
set xlabel 'lifetime (requests until it is freed; each bar up to the next; end: never freed)'
plot 'lives.tsv' using 1:($1 < STAY ? $2 : NaN):xticlabels(3) with boxes fc rgb OTHER, \
     '' using 1:($1 == STAY ? $2 : NaN):xticlabels(3) with boxes fc rgb OTHER fs pattern 4
unset multiplot
