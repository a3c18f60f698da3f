/* verdict.c - the table of verdict.h as data. */
#include "verdict.h"

static const struct {
    const char *word, *text;
    enum verdict_class class;
} table[VERDICT_COUNT] = {
#define X(name, word, class, text) { word, text, class },
    VERDICTS(X)
#undef X
};

const char *verdict_word(enum verdict v) { return table[v].word; }
const char *verdict_text(enum verdict v) { return table[v].text; }
enum verdict_class verdict_class(enum verdict v) { return table[v].class; }
