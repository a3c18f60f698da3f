# Free holes by size. holes.tsv: power of two, bytes in all, how many, smallest size.
load COMMON
set xlabel 'size of a hole (bytes; each bar up to the next)'
set ylabel sprintf('bytes in such holes (%s)', UNIT)
set xrange [LOW-0.6:HIGH+0.6]
set yrange [0:TOP*1.2]
unset key
if (DUMB) {
    set ylabel UNIT
    plot 'holes.tsv' using 1:2:xticlabels(4) with impulses, \
         '' using 1:($2+TOP*0.06):($3 > 0 ? sprintf('%d', $3) : '') with labels
} else {
    set grid noxtics
    set label 1 WORDS at graph 0.99,0.96 right font SMALL textcolor rgb INK
    plot 'holes.tsv' using 1:2:xticlabels(4) with boxes fc rgb HOLE fs solid 1.0 border lc rgb PAYLOAD, \
         '' using 1:2:($3 > 0 ? sprintf('%d', $3) : '') with labels offset 0,0.7 font SMALL tc rgb INK
}
