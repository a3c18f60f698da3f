# The arena at one moment. boxes.tsv: x, row, x low, x high, colour, outlined; labels.tsv: x, row, text, light;
# rows.tsv: row, address; place.tsv: x, row of a failure; for a terminal cells.tsv: column, row, character.
load COMMON
set yrange [ROWS-0.4:-0.6]
unset grid
if (DUMB) {
    unset xtics
    set xrange [-0.5:CELLS-0.5]
    unset key
    unset border
    plot 'cells.tsv' using 1:2:3:ytic('') with labels, 'rows.tsv' using (NaN):1:yticlabels(2)
} else {
    set border 0
    set xrange [0:ROW_BYTES]
    unset xtics
    set ytics scale 0 font SMALL
    set xlabel WORDS textcolor rgb INK
    load KEY_BELOW
    plot 'boxes.tsv' using ($6 == 0 ? $1 : NaN):2:3:4:($2-0.42):($2+0.42):5 with boxxyerror lc rgb variable \
             fs solid 1.0 noborder notitle, \
         '' using ($6 == 1 ? $1 : NaN):2:3:4:($2-0.42):($2+0.42):5 with boxxyerror lc rgb variable \
             fs solid 1.0 border rgb 'white' notitle, \
         'labels.tsv' using ($4 == 1 ? $1 : NaN):2:3 with labels font SMALL tc rgb 'white' notitle, \
         'labels.tsv' using ($4 == 0 ? $1 : NaN):2:3 with labels font SMALL tc rgb INK notitle, \
         'place.tsv' using 1:($2-0.5) with points pt 11 ps 1.2 lc rgb ACCENT notitle, \
         'rows.tsv' using (NaN):1:yticlabels(2) notitle, \
         NaN with boxes fc rgb PAYLOAD title 'payload', \
         NaN with boxes fc rgb OVERHEAD title 'overhead', \
         NaN with boxes fc rgb HOLE title 'free hole', \
         NaN with boxes fc rgb UNUSED fs solid 1.0 border lc rgb FAINT title 'free top'
}
