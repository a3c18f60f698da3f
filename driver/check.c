/* check.c - the check pass: reveal a few requests, verify every claim, repeat. */
#define _GNU_SOURCE
#include "check_state.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pattern.h"

#define DEFAULT_BATCH 48 /* most requests revealed at once; the length varies from 1 */

/* Above this peak, payloads are checked only at their ends: filling them would
 * take real memory. */
#define SPARSE_PEAK (UINT64_C(8) << 30)
#define ADDRESS_SPACE (UINT64_C(80) << 40) /* the largest hole in a process with randomised addresses */
#define ADDRESS_SPACE_32 (UINT64_C(0xa0000000))

/* Bytes that change in any runner's private memory while it serves: the break's
 * copy, its loop's frames and what calls left below them. What exceeds it is the allocator's. */
#define RUNNER_BASELINE (UINT64_C(1) << 10)
#define LOOKS 4 /* about so often in a trace it is looked into, at moments that nobody can foresee */

/* No more than this share of a trace is revealed at once, however short it is. */
#define LOOKAHEAD_SHARE 64

static int sparse(const struct check *c) { return c->trace->peak_payload > SPARSE_PEAK; }

static struct wire_key new_key(struct check *c)
{
    if (!c->keys_left) {
        for (char *to = (char *)c->keys, *end = to + sizeof c->keys; to < end;) {
            ssize_t got = getrandom(to, 256, 0); /* so short that no signal interrupts it */
            if (got < 0)
                abort(); /* this kernel has no random numbers */
            to += got;
        }
        c->keys_left = sizeof c->keys / sizeof *c->keys;
    }
    struct wire_key key = c->keys[--c->keys_left];
    int numbers_only = c->image->has_gc && c->image->bits == 32;
    key.b = numbers_only ? key.b | PATTERN_NO_ADDRESS : key.b & ~PATTERN_NO_ADDRESS;
    return key;
}

/* First wrong byte of a live block, or its size. */
static uint64_t first_wrong(const struct check *c, uint32_t number)
{
    const struct extent *e = &c->extent[number];

    return pattern_check_block(c->process.heap + e->offset, e->size, c->key[number], sparse(c));
}

/* ---- verifying one batch ---- */

/* The number of requests that the runner has surely finished. */
static uint32_t claimed_done(const struct check *c, uint32_t count)
{
    return c->said.done < count ? c->said.done : count;
}

/* The whole page is written, except whose turn it is: nothing of a runner's stays in it. */
static void write_mailbox(struct check *c, const struct mailbox *next)
{
    unsigned char *page = (unsigned char *)c->process.box;
    const unsigned char *from = (const unsigned char *)next;
    const size_t turn = offsetof(struct mailbox, go), after = offsetof(struct mailbox, event);

    memcpy(page, from, turn);
    memcpy(page + after, from + after, sizeof *next - after);
    memset(page + sizeof *next, 0, (PAGE - sizeof *next % PAGE) % PAGE);
    c->process.box->heap_granted = c->process.granted;
}

/* Prepares the batch [FIRST, FIRST + COUNT): verifies what it will release, then reveals it. */
static int reveal(struct check *c, size_t first, uint32_t count)
{
    struct mailbox next = c->process.opening, *box = &next;
    uint32_t older = WIRE_OLD;

    for (uint32_t i = 0; i < count; i++) {
        const struct request *q = &c->trace->requests[first + i];
        uint32_t ref = WIRE_REF_NULL;

        if (q->ref != REF_NULL && q->ref >= first) {
            ref = (uint32_t)(q->ref - first);
        } else if (q->ref != REF_NULL && c->live[q->ref]) {
            uint64_t wrong = first_wrong(c, q->ref);
            if (wrong != c->extent[q->ref].size)
                return damaged(c, first + i, q->ref, wrong);
            ref = older++;
            box->block[ref] = heap_base_of(c->image->bits) + c->extent[q->ref].offset;
            box->key[ref] = c->key[q->ref];
            box->size[ref] = c->extent[q->ref].size;
            box->older[ref - WIRE_OLD] = q->ref;
        }
        int moves = q->kind == REQ_REALLOC && ref != WIRE_REF_NULL;
        c->key[first + i] = moves ? c->key[q->ref] : new_key(c);
        box->request[i] = (struct wire_request){ q->size, ref, q->kind };
        box->key[i] = c->key[first + i];
        box->size[i] = q->size;
        box->block[i] = 0;
    }
    box->first = (uint32_t)first + 1;
    box->count = count;
    write_mailbox(c, box);
    return 1;
}

/* The blocks that this batch made and that outlive it: verified under the key
 * that the runner knew, then filled under one that it does not know. */
static int seal_survivors(struct check *c, size_t first, uint32_t count)
{
    for (size_t n = first; n < first + count; n++) {
        if (!c->live[n])
            continue;
        uint64_t wrong = first_wrong(c, (uint32_t)n);
        if (wrong != c->extent[n].size)
            return damaged(c, first + count - 1, (uint32_t)n, wrong);
        c->key[n] = new_key(c);
        pattern_fill_block(c->process.heap + c->extent[n].offset, 0, c->extent[n].size, c->key[n], sparse(c));
    }
    return 1;
}

/* Copies what the runner says, once: it may go on writing, but not in our copy. */
static enum process_turn listen_to(struct check *c, enum process_turn turn)
{
    memcpy(&c->said, c->process.box, sizeof c->said);
    __asm__ volatile("" ::: "memory"); /* or the compiler could look again */
    return turn;
}

/* Gives the floor, for no longer than patience and the trace's limit last. */
static enum process_turn turn_in_time(struct check *c)
{
    double patient = monotonic_seconds() + patience(c);

    c->process.deadline = patient < c->deadline ? patient : c->deadline;
    return listen_to(c, process_turn(&c->process));
}

/* Gives the floor and serves mem_sbrk until the runner says something else. */
static enum process_turn serve(struct check *c)
{
    struct process *p = &c->process;
    enum process_turn turn = turn_in_time(c);

    while (turn == TURN_OURS && c->said.event == EVENT_GROW) {
        uint64_t granted = process_grant(p, c->said.want);
        if (!granted)
            c->refused = 1;
        p->box->heap_granted = granted;
        turn = turn_in_time(c);
    }
    return turn;
}

/* How much there is outside the heap; the most that was ever seen counts. */
static int look_outside(struct check *c, size_t index)
{
    int64_t changed = c->image->trusted ? 0 : private_changed(&c->private);

    if (changed < 0)
        return fail_at(c, index, VERDICT_FORBIDDEN, "the process's memory map was tampered with by %s",
                       request_text(c, index));
    uint64_t outside = (uint64_t)changed > RUNNER_BASELINE ? (uint64_t)changed - RUNNER_BASELINE : 0;
    if (outside > c->outside)
        c->outside = outside;
    return 1;
}

/* Runs one batch. 1 to go on, 0 when a verdict was given. */
static int run_batch(struct check *c, size_t first, uint32_t count)
{
    if (!reveal(c, first, count))
        return 0;
    enum process_turn turn = serve(c);
    uint32_t event = c->said.event, done = claimed_done(c, count);

    for (uint32_t i = 0; i < done; i++)
        if (!take_answer(c, first + i, i))
            return 0;
    size_t next = first + done;
    int counted = c->said.complaint == COMPLAINT_CHECKHEAP && done > 0; /* that request was answered already */
    c->in_checkheap = counted && turn != TURN_OURS;
    if (turn == TURN_DEAD)
        return died(c, next - (size_t)counted);
    if (turn == TURN_LATE)
        return late(c, next - (size_t)counted);
    if (event == EVENT_STOP)
        return complaint(c, next - (size_t)counted, done - (uint32_t)counted);
    if (event != EVENT_BATCH || done != count)
        return fail_at(c, next, VERDICT_FORBIDDEN, "the replay was tampered with at %s", request_text(c, next));
    size_t last = first + count - 1;
    if (!tail_is_clean(c, last) || !seal_survivors(c, first, count))
        return 0;
    if (new_key(c).a % c->trace->count < (uint64_t)count * LOOKS && !look_outside(c, last))
        return 0;
    if (c->watch != REF_NULL && c->watch <= last && c->live[c->watch]) {
        uint64_t wrong = first_wrong(c, c->watch);
        if (wrong != c->extent[c->watch].size) {
            c->record->address = c->extent[c->watch].offset + wrong;
            return fail_at(c, last, VERDICT_DAMAGED, "%s changed byte %llu of live %s", request_text(c, last),
                           (unsigned long long)wrong, block_text(c, c->watch));
        }
    }
    return 1;
}

static int finish(struct check *c)
{
    struct record *r = c->record;
    const struct pass_options *o = c->options;

    for (size_t n = 0; n < c->trace->count; n++) {
        if (!c->live[n])
            continue;
        uint64_t wrong = first_wrong(c, (uint32_t)n);
        if (wrong != c->extent[n].size)
            return damaged(c, c->trace->count, (uint32_t)n, wrong);
    }
    if (!look_outside(c, c->trace->count))
        return 0;
    r->touched = process_private_bytes(&c->process);
    uint64_t outside = c->outside > c->image->static_bytes ? c->outside : c->image->static_bytes;
    if (o->outside_cap && outside > o->outside_cap)
        return fail_at(c, c->trace->count, VERDICT_STATIC_LIMIT,
                       "%llu bytes of memory outside the heap (static data, stack); the course allows %llu",
                       (unsigned long long)outside, (unsigned long long)o->outside_cap);
    r->outside = o->charge_outside ? outside : 0;
    if (c->image->has_gc) {
        record_pauses(r, c->said.gc_pauses, c->said.gc_total_ns, c->said.gc_longest_ns);
        if (!c->image->shipped) /* memory that it could use for anything */
            r->outside += c->trace->count * sizeof(uint64_t);
    }
    return 1;
}

/* The probes: of sizes from the trace, which follow from the seed, so that counts repeat. Only their answers are
 * kept; they count for nothing. */
static int probe(struct check *c)
{
    struct record *r = c->record;
    struct mailbox next = c->process.opening;
    size_t end = c->trace->count;

    r->probes = next.request_count - end;
    for (size_t i = 0; i < r->probes; i++) {
        uint64_t chance = pattern_word((struct wire_key){ c->options->seed | 1, 0xc0da }, i);
        r->probe[i].size = c->trace->requests[chance % end].size; /* of a free: 0, a small block */
        r->probe[i].size += r->probe[i].size ? 0 : 1 + chance % 64;
        next.request[i] = (struct wire_request){ r->probe[i].size, WIRE_REF_NULL, REQ_MALLOC };
        next.size[i] = r->probe[i].size;
        next.key[i] = new_key(c);
    }
    next.first = (uint32_t)end + 1;
    next.count = (uint32_t)r->probes;
    write_mailbox(c, &next);
    enum process_turn turn = serve(c);
    if (turn == TURN_DEAD)
        return died(c, end);
    if (turn == TURN_LATE)
        return late(c, end);
    if (c->said.event != EVENT_BATCH) {
        int unsound = c->said.complaint == COMPLAINT_CHECKHEAP;
        return fail_at(c, end, unsound ? VERDICT_CHECKHEAP : VERDICT_OUTSIDE, "after the trace, malloc(%llu) %s",
                       (unsigned long long)r->probe[c->said.done < r->probes ? c->said.done : 0].size,
                       unsound ? "broke an invariant: mm_checkheap reports it"
                               : "gave a block that is not inside the heap");
    }
    for (size_t i = 0; i < r->probes; i++)
        r->probe[i].offset = c->said.block[i] ? c->said.block[i] - heap_base_of(c->image->bits) : OFFSET_NULL;
    r->reserved = c->process.granted;
    return 1;
}

/* After a trace with calloc, where the course asks for it: COUNT * SIZE must not wrap around. */
static int refuses_overflow(struct check *c)
{
    size_t end = c->trace->count;
    size_t i = 0;

    while (i < end && c->trace->requests[i].kind != REQ_CALLOC)
        i++;
    if (i == end || c->options->accepts.calloc_overflow)
        return 1;
    struct mailbox next = c->process.opening;
    next.flags |= WIRE_OVERFLOW;
    write_mailbox(c, &next);
    enum process_turn turn = serve(c);
    if (turn == TURN_LATE)
        return late(c, end);
    if (turn == TURN_DEAD)
        return died(c, end);
    if (c->said.block[0])
        return fail_at(c, end, VERDICT_OUTSIDE, "after the trace, calloc(SIZE_MAX / 24 + 1, 24) returned a block; the "
                       "product overflows, so no block can hold it: return NULL");
    return 1;
}

static size_t probes_for(const struct trace *t)
{
    size_t share = (t->count + LOOKAHEAD_SHARE - 1) / LOOKAHEAD_SHARE;

    return share < PROBES ? share : PROBES;
}

/* What the edition takes for an error is not obvious to who wrote for another. */
static int init_failed(struct check *c)
{
    const char *what = c->image->conventions & WIRE_INIT_BOOL ? "false, and true is success"
                                                                  : "a number below 0, and 0 is success";

    if (!c->refused)
        return fail_at(c, BEFORE_TRACE, VERDICT_INIT, "mm_init reported an error: it returned %s", what);
    return fail_at(c, BEFORE_TRACE, VERDICT_INIT, "mm_init reported an error: it returned %s; mem_sbrk had refused it "
                   "more than the heap's limit of %llu bytes", what, (unsigned long long)c->process.heap_limit);
}

static int start(struct check *c)
{
    const struct pass_options *o = c->options;
    uint64_t most = c->image->bits == 32 ? ADDRESS_SPACE_32 : ADDRESS_SPACE;
    struct process_setup setup = {
        .image = c->image, .mode = WIRE_CHECK,
        .flags = o->wire_flags | (sparse(c) ? WIRE_SPARSE : 0u) | (c->image->has_gc ? WIRE_GC : 0u),
        .request_count = c->trace->count + probes_for(c->trace),
        .alignment = o->alignment,
        .heap_limit = o->heap_limit && o->heap_limit < most && !sparse(c) ? o->heap_limit : most,
        .time_limit = o->time_limit, .output_cap = o->output_cap ? o->output_cap : OUTPUT_CAP,
        .stack_limit = o->stack_limit, .touch_limit = sparse(c) ? SPARSE_TOUCHED : 0,
    };
    char error[256];

    if (process_start(&c->process, &setup, error, sizeof error))
        return fail_at(c, BEFORE_TRACE, VERDICT_GRADER, "%s", error);
    c->deadline = c->process.deadline;
    c->shadow = shadow_new(c->process.heap_limit, o->alignment, c->extent);
    if (!c->shadow)
        return fail_at(c, BEFORE_TRACE, VERDICT_GRADER, "out of memory");
    enum process_turn turn = listen_to(c, process_wait(&c->process));
    if (turn == TURN_OURS && c->said.event == EVENT_READY) {
        if (!c->image->trusted && private_remember(&c->private, c->process.pid))
            return fail_at(c, BEFORE_TRACE, VERDICT_GRADER, "cannot read the runner's memory: %s", strerror(errno));
        turn = serve(c);
    }
    if (turn != TURN_OURS || c->said.event != EVENT_INIT) {
        turn == TURN_LATE ? late(c, BEFORE_TRACE) : died(c, BEFORE_TRACE);
        if (c->record->verdict != VERDICT_FORBIDDEN) /* it has better advice */
            snprintf(c->record->hint, sizeof c->record->hint, "it happened before the first request: in mm_init, or in "
                 "code that runs before main");
        return 0;
    }
    c->brk = c->record->peak_break = c->said.brk_after_init;
    if (c->said.status)
        return init_failed(c);
    return tail_is_clean(c, BEFORE_TRACE);
}

/* Lengths vary, so that nothing can be arranged for the end of a batch; they
 * come from the seed alone, so that a verdict repeats. */
static uint32_t batch_length(const struct check *c, size_t first)
{
    int floods = c->options->wire_flags & WIRE_CHECK_EACH && c->process.printed.cut; /* its checker prints the heap */
    uint32_t most = floods ? 1 : c->options->batch_max > 0 ? (uint32_t)c->options->batch_max : DEFAULT_BATCH;
    uint64_t left = c->trace->count - first, share = 1 + c->trace->count / LOOKAHEAD_SHARE;
    if (most > share)
        most = (uint32_t)share;
    uint32_t length = 1 + (uint32_t)(pattern_word((struct wire_key){ c->options->seed | 1, 0x5eed }, first) % most);

    if (length > WIRE_BATCH)
        length = WIRE_BATCH;
    return left < length ? (uint32_t)left : length;
}

static void replay(struct check *c)
{
    size_t next = 0;
    int sound = start(c);

    while (sound && next < c->trace->count) {
        uint32_t count = batch_length(c, next);
        sound = run_batch(c, next, count);
        next += count;
    }
    if (sound)
        sound = finish(c) && probe(c) && refuses_overflow(c);
    private_forget(&c->private);
    process_end(&c->process, &c->record->output);
    c->record->output_cut = c->process.printed.cut;
    shadow_delete(c->shadow);
    c->shadow = NULL;
}

static int allocate(struct check *c)
{
    size_t n = c->trace->count + 1;

    c->extent = calloc(n, sizeof *c->extent);
    c->key = calloc(n, sizeof *c->key);
    c->live = calloc(n, 1);
    c->record->answers = calloc(n, sizeof *c->record->answers);
    if (c->extent && c->key && c->live && c->record->answers)
        return 1;
    return fail_at(c, BEFORE_TRACE, VERDICT_GRADER, "out of memory for %zu requests", n);
}

static void check_once(struct check *c)
{
    if (allocate(c))
        replay(c);
    free(c->extent);
    free(c->key);
    free(c->live);
}

void pin_to_cpu(int cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)(cpu >= 0 ? cpu : sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one); /* best effort: without it, only slower */
}

/* Whether no file whatever could serve the trace here; the record says why. */
static int is_impossible(const struct check *c)
{
    const struct trace *t = c->trace;
    struct record *r = c->record;
    unsigned long long live = t->peak_payload, limit = c->options->heap_limit;

    if (c->image->bits == 32 && (t->max_size > UINT32_MAX || t->peak_payload > ADDRESS_SPACE_32))
        snprintf(r->message, sizeof r->message, "%llu bytes are live at once, which no 32-bit process can have; "
                 "--bits 64 runs this trace", live);
    else if (limit && live > limit && !sparse(c))
        snprintf(r->message, sizeof r->message, "%llu bytes are live at once, and the course's heap has %llu", live,
                 limit);
    else
        return 0;
    return 1;
}

void check_trace(const struct runner_image *image, const struct trace *t,
                 const struct pass_options *options, struct record *r)
{
    struct check c = { .image = image, .trace = t, .options = options, .record = r,
                       .watch = REF_NULL, .victim = REF_NULL };
    double begin = monotonic_seconds();

    r->address = OFFSET_NULL;
    pin_to_cpu(options->cpu);
    if (is_impossible(&c)) {
        r->verdict = VERDICT_SKIPPED;
        return;
    }
    check_once(&c);
    if ((r->verdict == VERDICT_DAMAGED || r->verdict == VERDICT_LOST || r->verdict == VERDICT_PAST_BREAK)
        && options->batch_max != 1) {
        /* Again, one request at a time, watching the damaged block: who did it? */
        struct pass_options exact = *options;
        struct record second = { .address = OFFSET_NULL };
        struct check again = { .image = image, .trace = t, .options = &exact, .record = &second,
                               .watch = c.victim, .victim = REF_NULL };
        exact.batch_max = 1;
        check_once(&again);
        if (second.verdict != VERDICT_OK && second.verdict != VERDICT_TIMEOUT
            && second.verdict != VERDICT_GRADER) {
            record_free(r);
            *r = second;
        } else {
            record_free(&second);
        }
    }
    if (r->verdict == VERDICT_OK)
        r->address = OFFSET_NULL;
    add_hint(&c);
    r->check_seconds = monotonic_seconds() - begin;
}
