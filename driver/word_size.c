/* word_size.c - builds a file, twice where need be, and keeps the word size in which it works. */
#include "word_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFERRED 32       /* as nearly all classic courses built their files */
#define QUICK_REQUESTS 600
#define QUICK_BLOCKS 60
#define QUICK_SECONDS 3.0

/* One word size of a file. */
struct candidate {
    int bits;
    enum build_status status;
    struct runner_image image;
    struct build build;
    char error[512];
    enum verdict verdict;   /* of the short replay */
    unsigned casts, line;   /* warnings about casts between pointers and integers of another size; the first's line */
};

/* ---- evidence ---- */

/* The requests that every candidate must serve: enough frees for a free list to be used. */
static int quick_trace(struct trace *t)
{
    size_t room = QUICK_REQUESTS * 24 + 64, n;
    char *text = malloc(room), error[256];
    unsigned char live[QUICK_BLOCKS] = { 0 };
    uint32_t state = 12345;

    if (!text)
        return -1;
    n = (size_t)snprintf(text, room, "20000000\n%d\n%d\n1\n", QUICK_BLOCKS, QUICK_REQUESTS);
    for (int i = 0; i < QUICK_REQUESTS; i++) {
        state = state * 1664525 + 1013904223; /* Knuth, TAOCP 2, 3.3.4 */
        unsigned id = (state >> 8) % QUICK_BLOCKS, size = 1 + (state >> 16) % (i % 10 ? 300 : 5000);
        char kind = !live[id] ? 'a' : i % 4 == 0 ? 'r' : 'f';
        live[id] = kind != 'f';
        n += (size_t)snprintf(text + n, room - n, kind == 'f' ? "f %u\n" : "%c %u %u\n",
                              kind == 'f' ? id : (unsigned)kind, id, size);
    }
    int rc = trace_parse(t, "short replay", text, n, error, sizeof error);
    free(text);
    return rc;
}

static void count_casts(struct candidate *c)
{
    static const char *const warnings[] = { "[-Wpointer-to-int-cast]", "[-Wint-to-pointer-cast]" };

    for (const char *p = c->image.build_log; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        size_t n = strcspn(p, "\n");
        for (size_t i = 0; i < 2; i++) {
            size_t m = strlen(warnings[i]);
            if (n < m || memcmp(p + n - m, warnings[i], m) != 0)
                continue;
            if (c->casts++ == 0 && sscanf(p, "%*[^:]:%u:", &c->line) != 1)
                c->line = 0;
        }
    }
}

static void examine(struct candidate *c, const struct build_request *request, const struct pass_options *pass)
{
    struct build_request this = *request;
    struct pass_options quick = *pass;
    struct record record = { 0 };
    struct trace trace;

    this.bits = c->bits;
    c->verdict = VERDICT_SKIPPED;
    c->status = build_runner(&this, &c->image, &c->build, c->error, sizeof c->error);
    if (c->status != BUILD_OK)
        return;
    count_casts(c);
    if (quick_trace(&trace))
        return;
    quick.time_limit = QUICK_SECONDS < pass->time_limit ? QUICK_SECONDS : pass->time_limit;
    check_trace(&c->image, &trace, &quick, &record);
    c->verdict = record.verdict;
    record_free(&record);
    trace_free(&trace);
}

/* ---- the choice ---- */

/* Whether A is the one, from what B does; TEXT says why. */
static int prevails(const struct candidate *a, const struct candidate *b, char *text, size_t size)
{
    if (a->status == BUILD_OK && b->status != BUILD_OK) {
        snprintf(text, size, "%d-bit, because it does not build in %d bits", a->bits, b->bits);
        return 1;
    }
    if (a->verdict == VERDICT_OK && b->verdict != VERDICT_OK) {
        int n = snprintf(text, size, "%d-bit, because a short replay passes in %d bits and fails in %d (%s)", a->bits,
                         a->bits, b->bits, verdict_word(b->verdict));
        if (b->casts && n > 0 && (size_t)n < size)
            snprintf(text + n, size - (size_t)n, "; gcc warns of casts between pointers and %d-byte integers (line %u)",
                     a->bits / 8, b->line);
        return 1;
    }
    return 0;
}

/* The same, from the compiler's warnings alone: A's own casts fit, B's do not. */
static int casts_fit(const struct candidate *a, const struct candidate *b, char *text, size_t size)
{
    if (a->casts || !b->casts)
        return 0;
    snprintf(text, size, "%d-bit, because it casts between pointers and %d-byte integers (line %u); a short replay %s",
             a->bits, a->bits / 8, b->line, a->verdict == VERDICT_OK ? "passes in both" : "fails in both");
    return 1;
}

/* Whether nothing that the other size does could make it the better choice: then it need not be built. */
static int is_clear(const struct candidate *c)
{
    return c->status == BUILD_OK && c->verdict == VERDICT_OK && c->casts == 0;
}

static int choose(const struct candidate c[2], int preferred, char *text, size_t size)
{
    for (int i = 0; i < 2; i++)
        if (prevails(&c[i], &c[!i], text, size))
            return i;
    for (int i = 0; i < 2; i++)
        if (casts_fit(&c[i], &c[!i], text, size))
            return i;
    int i = c[1].bits == preferred;
    snprintf(text, size, "%d-bit, as this course builds its files; a short replay %s", preferred,
             c[i].verdict == VERDICT_OK ? "passes in 32 and 64 bits" : "fails in 32 and 64 bits");
    return i;
}

enum build_status word_size_build(const struct build_request *request, const struct pass_options *pass,
                                  struct runner_image *image, struct build *b, char *error, size_t error_size)
{
    int preferred = request->course->bits ? (int)request->course->bits : PREFERRED;
    struct candidate c[2] = { { .bits = 64 }, { .bits = 32 } };
    char text[sizeof b->text];
    int first = preferred == 32 && build_can(32), chosen = first;

    examine(&c[first], request, pass);
    if (c[first].status == BUILD_BAD_INPUT || c[first].status == BUILD_OURS) {
        snprintf(text, sizeof text, "%s", "");
    } else if (!build_can(32)) {
        snprintf(text, sizeof text,
                 "64-bit, because 32-bit runners are not built: install gcc-multilib and run make again");
    } else if (is_clear(&c[first])) {
        snprintf(text, sizeof text, "%d-bit, as this course builds its files; a short replay passes", preferred);
    } else {
        examine(&c[!first], request, pass);
        chosen = choose(c, preferred, text, sizeof text);
        image_free(&c[!chosen].image);
    }
    *image = c[chosen].image;
    *b = c[chosen].build;
    memcpy(b->text, text, sizeof text);
    snprintf(error, error_size, "%s", c[chosen].error);
    return c[chosen].status;
}
