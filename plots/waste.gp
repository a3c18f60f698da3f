# Where the heap is. waste.tsv: place, 0, payload, metadata, internal, external, unreleased (bounds in %), trace.
load COMMON
set xrange [0:100]
set yrange [COUNT-0.4:-0.6]
set xlabel 'percent of the heap at its highest'
if (DUMB) {
    unset key
    unset ytics
    plot 'waste.tsv' using 3:1 with points pt '#', '' using 4:1 with points pt 'm', '' using 5:1 with points pt 'i', \
         '' using 6:1 with points pt 'e', '' using 7:1 with points pt 'u'
} else {
    set border 0
    set ytics scale 0 font SMALL
    unset grid
    set grid xtics lc rgb 0xE3E3E3 lw 0.6 lt 1 front
    load KEY_BELOW
    # In pixels, not in lines: whatever the font, the bars have the room that the height was chosen for.
    set tmargin at screen 1 - 40.0/HEIGHT
    set bmargin at screen 100.0/HEIGHT
    bar = 0.38
    plot 'waste.tsv' using 3:1:2:3:($1-bar):($1+bar):yticlabels(BESIDE(strcol(8))) with boxxyerror fc rgb PAYLOAD fs solid 1.0 \
             border lc rgb 'white' lw 0.4 title 'payload', \
         '' using 4:1:3:4:($1-bar):($1+bar) with boxxyerror fc rgb METADATA fs solid 1.0 border lc rgb 'white' lw 0.4 \
             title 'metadata', \
         '' using 5:1:4:5:($1-bar):($1+bar) with boxxyerror fc rgb OVERHEAD fs solid 1.0 border lc rgb 'white' lw 0.4 \
             title 'internal', \
         '' using 6:1:5:6:($1-bar):($1+bar) with boxxyerror fc rgb HOLE fs solid 1.0 border lc rgb 'white' lw 0.4 \
             title 'external', \
         '' using 7:1:6:7:($1-bar):($1+bar) with boxxyerror fc rgb FAINT fs pattern 4 border lc rgb FAINT \
             title 'unreleased'
}
