# The arena at one moment. boxes.tsv: x, row, x low, x high, colour, outlined; labels.tsv: x, row, text, light;
# rows.tsv: row, address; place.tsv: x, row of a failure; for a terminal cells.tsv: column, row, character.
load COMMON
unset grid
if (DUMB) {
    # A row on each line and a cell on each character.
    unset xtics
    set ytics scale 0 nomirror
    set lmargin 12; set rmargin 2; set tmargin 2; set bmargin 0
    set xrange [0:CELLS-1]
    set yrange [ROWS-1:0]
    unset key
    unset border
    unset title
    set label 1 TITLE at graph 0.5,1 center offset 0,2
    plot 'cells.tsv' using 1:2:3:ytic('') with labels, 'rows.tsv' using (NaN):1:yticlabels(2)
} else {
    set border 0
    set yrange [ROWS-0.4:-0.6]
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
