# What every picture shares: the terminal, fonts, the table's format. Called with the variables that grader/plot.py
# gives: TERM, WIDTH, HEIGHT, COLOUR, and those of settings.gp.

set encoding utf8
set datafile separator "\t"
set datafile commentschars ""
set datafile missing "NaN"
load 'settings.gp'

DUMB = TERM eq 'dumb'
if (TERM eq 'svg') {
    set terminal svg size WIDTH,HEIGHT fixed noenhanced font 'DejaVu Sans,Verdana,sans-serif,13' background rgb 'white'
}
if (TERM eq 'png') {
    set terminal pngcairo size 2*WIDTH,2*HEIGHT noenhanced font 'DejaVu Sans,20' linewidth 2 pointscale 2
}
if (TERM eq 'pdf') {
    set terminal pdfcairo size WIDTH/96.0,HEIGHT/96.0 noenhanced font 'DejaVu Sans,9.5' fontscale 1 linewidth 1
}
if (DUMB) {
    set terminal dumb size WIDTH,HEIGHT noenhanced mono
    if (COLOUR) { set terminal dumb size WIDTH,HEIGHT noenhanced ansi }
}

SMALL = 'DejaVu Sans,Verdana,sans-serif,11'
if (TERM eq 'png') { SMALL = 'DejaVu Sans,17' }
if (TERM eq 'pdf') { SMALL = 'DejaVu Sans,8' }

KEY_BELOW = PLOTS.'/key_below.gp'

set pointintervalbox 0
set title TITLE
if (!DUMB) {
    set border 3 lc rgb FAINT lw 0.8
    set tics nomirror out textcolor rgb INK
    set grid lc rgb 0xE3E3E3 lw 0.6 lt 1
    set title TITLE textcolor rgb INK
    set key textcolor rgb INK font SMALL
    set boxwidth 0.8
    set style fill solid 1.0 noborder
}

# A trace's name beside its row, cut to the room that there is: its beginning and its end.
BESIDE(name) = strlen(name) <= 22 ? name : name[1:12].'…'.name[strlen(name)-8:*]

# The format of an axis from 0 to N: 500, 20k; in full where steps of it would need a fraction of a thousand or a million.
COUNTED(n) = n < 1e4 || (n >= 1e6 && n < 1e7) ? '%.0f' : '%.0s%c'
