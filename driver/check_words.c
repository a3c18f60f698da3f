/* check_words.c - verdicts of the check pass in sentences. */
#define _GNU_SOURCE
#include "check_state.h"

#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "confine.h"

#define STACK_SLACK 65536u /* bytes: of the stack above main's frame, and of a frame */

/* ---- verdicts ---- */

int fail_at(struct check *c, size_t index, enum verdict v, const char *format, ...)
{
    struct record *r = c->record;
    va_list args;

    r->verdict = v;
    if (index < c->trace->count) {
        r->request = index + 1;
        r->line = c->trace->requests[index].line;
    }
    va_start(args, format);
    vsnprintf(r->message, sizeof r->message, format, args);
    va_end(args);
    return 0;
}

/* "request 12 (line 16: r 3 100)"; two calls may stand in one message. */
const char *request_text(const struct check *c, size_t index)
{
    static char text[4][96];
    static unsigned turn;
    char *out = text[turn++ % 4];

    if (index >= c->trace->count) {
        snprintf(out, sizeof *text, index == BEFORE_TRACE ? "the start, before the first request"
                                                          : "the end of the trace");
        return out;
    }
    const struct request *q = &c->trace->requests[index];
    if (q->kind == REQ_FREE)
        snprintf(out, sizeof *text, "request %zu (line %u: f %d%s)", index + 1, q->line, q->id,
                 q->ref == REF_NULL ? ", free(NULL)" : "");
    else
        snprintf(out, sizeof *text, "request %zu (line %u: %c %d %llu)", index + 1, q->line, "acr"[q->kind],
                 q->id, (unsigned long long)q->size);
    return out;
}

const char *block_text(const struct check *c, uint32_t number)
{
    static char text[4][160];
    static unsigned turn;
    char *out = text[turn++ % 4];
    const struct extent *e = &c->extent[number];

    snprintf(out, sizeof *text, "block %d (%llu bytes at heap offset 0x%llx, from request %u)",
             c->trace->requests[number].id, (unsigned long long)e->size, (unsigned long long)e->offset,
             number + 1);
    return out;
}

int damaged(struct check *c, size_t index, uint32_t number, uint64_t byte)
{
    c->victim = number;
    c->record->address = c->extent[number].offset + byte;
    return fail_at(c, index, VERDICT_DAMAGED, "byte %llu of %s was changed while the block was live; seen at %s",
                   (unsigned long long)byte, block_text(c, number), request_text(c, index));
}

/* ---- the runner's death ---- */

/* "at request 12 (...)", or that it was the file's own checker. */
static const char *place_text(const struct check *c, size_t index)
{
    static char text[160];

    snprintf(text, sizeof text, c->in_checkheap ? "in mm_checkheap, after %s" : "at %s", request_text(c, index));
    return text;
}

static const char *syscall_name(uint64_t number, int bits)
{
    static char text[64];
    char *name = seccomp_syscall_resolve_num_arch(bits == 32 ? SCMP_ARCH_X86 : SCMP_ARCH_X86_64, (int)number);

    snprintf(text, sizeof text, "%s", name ? name : "an unknown one");
    free(name);
    return text;
}

/* What an address says about the pointer that it was reached through: many a wrong one is NULL and a header's size. */
static const char *near_null(uint64_t address, int bits)
{
    static char text[64];
    uint64_t before = (bits == 32 ? UINT64_C(1) << 32 : 0) - address;

    if (address == 0)
        return " (a NULL pointer)";
    if (address >= 4096 && before > 4096)
        return "";
    uint64_t distance = address < 4096 ? address : before;
    snprintf(text, sizeof text, " (%llu byte%s %s a NULL pointer)", (unsigned long long)distance,
             distance == 1 ? "" : "s", address < 4096 ? "after" : "before");
    return text;
}

/* Whether the stack is used up, and that is what was touched. */
static int is_stack_overflow(const struct check *c, uint64_t address, uint64_t limit)
{
    const struct mailbox *box = &c->said;
    uint64_t gap = address > box->stack_pointer ? address - box->stack_pointer : box->stack_pointer - address;

    return gap < STACK_SLACK && box->stack_used + STACK_SLACK >= limit;
}

/* A segmentation fault, a bus error: what was wrong with the address. */
static int bad_address(struct check *c, size_t index, int signo, uint64_t address)
{
    const struct mailbox *box = &c->said;
    uint64_t stack = c->options->stack_limit ? c->options->stack_limit : CONFINE_STACK;
    const char *where = place_text(c, index), *what = strsignal(signo), *near = near_null(address, c->image->bits);

    if (signo == SIGSEGV && is_stack_overflow(c, address, stack)) {
        snprintf(c->record->hint, sizeof c->record->hint, "recursion once for each block can be a loop instead, and "
                 "a large array belongs into the heap");
        return fail_at(c, index, VERDICT_CRASH, "the stack overflowed (endless recursion, or a large local array; "
                       "the stack has %llu KiB) %s", (unsigned long long)stack >> 10, where);
    }
    if (signo == SIGSEGV && box->code == SI_KERNEL) /* the processor does not tell which address */
        return fail_at(c, index, VERDICT_CRASH, "%s through a pointer that holds no possible address (often payload "
                       "bytes taken for a pointer; it is not NULL) %s", what, where);
    if (address == box->fault_pc) {
        c->record->fault_pc = 0; /* no place in the source; the caller is one */
        return fail_at(c, index, VERDICT_CRASH, "%s calling a function at address 0x%llx%s, where there is none, %s",
                       what, (unsigned long long)address, near, where);
    }
    return fail_at(c, index, VERDICT_CRASH, "%s touching address 0x%llx%s%s %s", what, (unsigned long long)address,
                   near, near[0] && c->refused ? ", after mem_sbrk had returned (void *)-1 at the heap's limit," : "",
                   where);
}

static int died_by_signal(struct check *c, size_t index, int signo)
{
    const struct mailbox *box = &c->said;
    int told = box->event == EVENT_SIGNAL && box->signo == signo;
    uint64_t address = told ? box->fault_address : 0, heap = heap_base_of(c->image->bits);
    const char *where = place_text(c, index);

    c->record->fault_pc = told ? box->fault_pc : 0;
    c->record->fault_caller = told ? box->fault_caller : 0;
    switch (signo) {
    case SIGSYS:
        if (told)
            return fail_at(c, index, VERDICT_FORBIDDEN, "the allocator made the system call %s, which is not "
                           "allowed, %s", syscall_name(address, c->image->bits), where);
        return fail_at(c, index, VERDICT_FORBIDDEN, "a forbidden system call ended the process %s", where);
    case SIGABRT:
        return fail_at(c, index, VERDICT_ABORT, "the allocator called abort %s", where);
    case SIGXCPU:
    case SIGKILL:
        return fail_at(c, index, VERDICT_TIMEOUT, "the CPU time limit was reached %s", where);
    case SIGXFSZ:
        return fail_at(c, index, VERDICT_FORBIDDEN, "a file grew past its limit %s", where);
    default:
        break;
    }
    if (told && address >= heap + c->brk && address < heap + c->process.heap_limit) {
        c->record->address = address - heap;
        /* Where the break is now, if this request moved it. */
        uint64_t brk = box->want > c->brk && box->want <= address - heap ? box->want : c->brk;
        return fail_at(c, index, VERDICT_PAST_BREAK,
                       "touched address 0x%llx, %llu bytes past the break (heap size %llu), %s",
                       (unsigned long long)address, (unsigned long long)(address - heap - brk), (unsigned long long)brk,
                       where);
    }
    if (told && (signo == SIGSEGV || signo == SIGBUS))
        return bad_address(c, index, signo, address);
    return fail_at(c, index, VERDICT_CRASH, "%s %s", strsignal(signo), where);
}

int died(struct check *c, size_t index)
{
    int status = c->process.status;

    if (WIFSIGNALED(status))
        return died_by_signal(c, index, WTERMSIG(status));
    return fail_at(c, index, VERDICT_EXITED, "the allocator's process ended by itself (exit status %d) %s",
                   WEXITSTATUS(status), place_text(c, index));
}

/* How long a batch of requests may take by itself. Slow allocators go on answering and have the whole limit; one that
 * answers nothing for so long is in a circle. mm_checkheap after each request may be slow as well. */
double patience(const struct check *c)
{
    double limit = c->options->time_limit, quarter = limit / 4 > 0.5 ? limit / 4 : 0.5;

    return c->options->wire_flags & WIRE_CHECK_EACH || quarter > limit ? limit : quarter;
}

int late(struct check *c, size_t index)
{
    c->record->fault_pc = process_stop_at(&c->process);
    if (c->process.gorged)
        return fail_at(c, index, VERDICT_HEAP_LIMIT, "more than %llu bytes of the heap were written or read; blocks of "
                       "a giant trace are never used by their owner, so clearing or copying one whole is all that "
                       "could, %s", (unsigned long long)SPARSE_TOUCHED, place_text(c, index));
    if (monotonic_seconds() < c->deadline)
        return fail_at(c, index, VERDICT_TIMEOUT, "no answer for %g seconds %s", patience(c), place_text(c, index));
    return fail_at(c, index, VERDICT_TIMEOUT, "no answer within %g seconds; it was %s", c->options->time_limit,
                   place_text(c, index));
}

/* What the file's own checker can do; in some editions nothing looks at what it returns. */
static const char *checker_advice(const struct check *c)
{
    int returns = (c->image->conventions & (WIRE_CHECK_INT | WIRE_CHECK_BOOL)) != 0;

    if (c->in_checkheap)
        return "by then the heap is broken, or the checker is: let it look at a pointer before it follows it";
    if (c->image->has_checkheap && c->options->wire_flags & WIRE_CHECK_EACH)
        return "mm_checkheap saw nothing wrong before that; let it look at what broke here";
    if (c->image->has_checkheap)
        return returns ? "-D runs mm_checkheap after every request and stops at the first broken invariant"
                       : "-D runs mm_checkheap after every request and stops where an assert in it fails";
    if (c->image->conventions & WIRE_CHECK_INT)
        return "write int mm_checkheap(int line), the number of broken invariants; -D runs it after every request";
    return returns ? "write bool mm_checkheap(int line), false if an invariant is broken; -D runs it after each request"
                   : "write void mm_checkheap(int line), which asserts every invariant; -D runs it after every request";
}

/* What a student would try next; who knows the command line adds it (grade.c). */
void add_hint(const struct check *c)
{
    struct record *r = c->record;
    const char *circle = "", *text = "";

    switch (r->verdict) {
    case VERDICT_OK: case VERDICT_GRADER: case VERDICT_SKIPPED:
        return;
    case VERDICT_DAMAGED: case VERDICT_OVERLAP: case VERDICT_PAST_BREAK: case VERDICT_CRASH: case VERDICT_LOST:
        text = checker_advice(c);
        break;
    case VERDICT_TIMEOUT:
        circle = r->output_cut ? "" : "an endless loop, often a free list that became a circle; ";
        text = r->output_cut ? "it printed very much, which takes time; print less" : checker_advice(c);
        break;
    case VERDICT_HEAP_LIMIT:
        text = "freed blocks may never be used again, or not be merged with free neighbours";
        break;
    case VERDICT_FORBIDDEN:
        text = "memory comes from mem_sbrk, and printf helps to debug; files, threads, sleep and memory of the system "
               "are out of reach";
        break;
    default:
        break;
    }
    if (c->trace->max_size > INT32_MAX) {
        circle = "";
        text = "this trace has requests of more than 2^31 bytes: a size kept in 32 bits (int, unsigned, a header of 4 "
               "bytes, a cast) cannot hold them; size_t can";
    }
    if (!r->hint[0])
        snprintf(r->hint, sizeof r->hint, "%s%s", circle, text);
}
