# Sizes and lifetimes. sizes.tsv, lives.tsv: power of two, percent, smallest value.
load COMMON
unset key
unset title
set tmargin 3
set multiplot layout 2,1 title TITLE
set yrange [0:*]
set ylabel 'percent'
if (!DUMB) { set grid noxtics }
set xlabel 'size asked for (bytes; each bar up to the next)'
if (DUMB) {
    set xlabel 'size (bytes)'
    plot 'sizes.tsv' using 1:2:xticlabels(3) with impulses
} else {
    set xtics font SMALL
    plot 'sizes.tsv' using 1:2:xticlabels(3) with boxes fc rgb PAYLOAD
}
set xlabel 'lifetime (requests until it is freed; each bar up to the next; end: never freed)'
if (DUMB) {
    set xlabel 'lifetime (requests)'
    plot 'lives.tsv' using 1:2:xticlabels(3) with impulses
} else {
    plot 'lives.tsv' using 1:($1 < STAY ? $2 : NaN):xticlabels(3) with boxes fc rgb OTHER, \
         '' using 1:($1 == STAY ? $2 : NaN):xticlabels(3) with boxes fc rgb OTHER fs pattern 4
}
unset multiplot
