/*
 * runner.c - the untrusted main: replays requests against the allocator that
 * it is linked with, and claims what the answers were.
 *
 * Nothing here decides a score. The fills and comparisons below let an honest
 * allocator's mistake be named at the very request; the supervisor verifies
 * every claim through its own view of the heap.
 */
#define _GNU_SOURCE
#define MEMLIB_HOST
#include <errno.h>
#include <link.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "memlib.h"
#include "pattern.h"
#include "trace.h"
#include "wire.h"

/* Declared as the widest edition has them; a bool or void result is read by the flags. */
int mm_init(void);
void *mm_malloc(size_t size);
void mm_free(void *ptr);
void *mm_realloc(void *ptr, size_t size);
void *mm_calloc(size_t count, size_t size);
__attribute__((weak)) int mm_checkheap(int line);
__attribute__((weak)) void mm_gc_roots(void **roots, size_t count);
__attribute__((weak)) void mm_gc_stats(uint64_t *pauses, uint64_t *total_ns, uint64_t *longest_ns);

static struct mailbox *box;

/* ---- turns ---- */

static void yield_turn(uint32_t event)
{
    uint32_t turn = __atomic_load_n(&box->go, __ATOMIC_ACQUIRE);

    box->event = event;
    __atomic_add_fetch(&box->back, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &box->back, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (__atomic_load_n(&box->go, __ATOMIC_ACQUIRE) == turn)
        syscall(SYS_futex, &box->go, FUTEX_WAIT, turn, NULL, NULL, 0);
}

static size_t grow(size_t want)
{
    if (box->mode != WIRE_CHECK)
        return 0; /* everything the checked run needed is there already */
    box->want = want;
    yield_turn(EVENT_GROW);
    return (size_t)box->heap_granted;
}

/* ---- death, with an address ---- */

static unsigned char signal_stack[32768];
static uint64_t stack_top; /* about: main's frame */

static void on_signal(int signo, siginfo_t *info, void *context)
{
    const ucontext_t *state = context;

    box->signo = signo;
    box->code = info->si_code;
    box->fault_address = signo == SIGSYS ? (uint64_t)info->si_syscall
                                         : (uint64_t)(uintptr_t)info->si_addr;
#ifdef __x86_64__
    box->fault_pc = (uint64_t)state->uc_mcontext.gregs[REG_RIP];
    box->stack_pointer = (uint64_t)state->uc_mcontext.gregs[REG_RSP];
#else
    box->fault_pc = (uint32_t)state->uc_mcontext.gregs[REG_EIP];
    box->stack_pointer = (uint32_t)state->uc_mcontext.gregs[REG_ESP];
#endif
    box->stack_used = stack_top - box->stack_pointer;
    box->want = mem_heapsize();
    box->event = EVENT_SIGNAL;
    signal(signo, SIG_DFL);
    /* memset and its like keep nothing on the stack above their return address. Last: reading it may fault again. */
    box->fault_caller = (uint64_t)*(const uintptr_t *)(uintptr_t)box->stack_pointer;
    if (signo == SIGSYS || signo == SIGABRT)
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signo);
}

static void catch_signals(void)
{
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };

    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &action, NULL);
}

/* ---- the one loop over requests ---- */

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE void *as_pointer(uint64_t address) { return (void *)(uintptr_t)address; }
static ALWAYS_INLINE uint64_t as_address(const void *p) { return (uint64_t)(uintptr_t)p; }

struct allocator {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
};

/* What else happens around a request; a constant, so that the compiler drops
 * what is NULL. `before` and `after` return 0 to stop the replay there. */
struct visitor {
    int (*before)(uint64_t index, const struct wire_request *request, const uint64_t *block);
    int (*after)(uint64_t index, const struct wire_request *request, const uint64_t *block);
};

/* Replays COUNT requests; block[i] becomes the answer to request i, and refs
 * index the same table. Returns the requests done. */
static ALWAYS_INLINE uint64_t replay(const struct wire_request *request, uint64_t count, uint64_t *block,
                                     const struct allocator *a, const struct visitor *v)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct wire_request *r = &request[i];
        void *old = r->ref == WIRE_REF_NULL ? NULL : as_pointer(block[r->ref]);

        if (v->before && !v->before(i, r, block))
            return i;
        switch (r->kind) {
        case REQ_MALLOC:
            block[i] = as_address(a->malloc((size_t)r->size));
            break;
        case REQ_CALLOC:
            block[i] = as_address(a->calloc(1, (size_t)r->size));
            break;
        case REQ_REALLOC:
            block[i] = as_address(a->realloc(old, (size_t)r->size));
            break;
        default:
            a->free(old);
            break;
        }
        if (v->after && !v->after(i, r, block))
            return i;
    }
    return count;
}

/* For a submission that has no mm_calloc of its own. */
__attribute__((weak)) void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = mm_malloc(count * size);

    return p ? memset(p, 0, count * size) : NULL;
}

static const struct allocator whole = { mm_malloc, mm_calloc, mm_realloc, mm_free };

static int init_failed(void)
{
    int result = mm_init();

    /* Below 0 as ever since the first edition: some files end without a return statement. */
    return box->flags & WIRE_INIT_BOOL ? !(unsigned char)result : result < 0;
}

/* ---- implicit management: the root table ---- */

/* With a collector, a request to free only drops the reference here; when the
 * block is reclaimed is the collector's affair. One entry a request. */
static void **roots;

static void no_release(void *ptr) { (void)ptr; }

static const struct allocator collected = { mm_malloc, mm_calloc, mm_realloc, no_release };

static void move_root(uint64_t made, uint64_t address, uint64_t dropped)
{
    if (dropped != WIRE_NULL)
        roots[dropped] = NULL;
    if (address)
        roots[made] = as_pointer(address);
}

static int root_after(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    move_root(index, r->kind == REQ_FREE ? 0 : block[index], r->ref == WIRE_REF_NULL ? WIRE_NULL : r->ref);
    return 1;
}

static const struct visitor rooting = { NULL, root_after };

static int start_allocator(void)
{
    if (init_failed())
        return 0;
    if (roots)
        mm_gc_roots(roots, (size_t)box->request_count);
    return 1;
}

static void tell_pauses(void)
{
    if (roots && mm_gc_stats)
        mm_gc_stats(&box->gc_pauses, &box->gc_total_ns, &box->gc_longest_ns);
}

/* ---- check pass ---- */

static int sparse(void) { return (box->flags & WIRE_SPARSE) != 0; }

static int complain(uint32_t complaint, uint64_t offset)
{
    box->complaint = complaint;
    box->bad_offset = offset;
    return 0;
}

static int check_before(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    (void)index;
    if (r->kind != REQ_FREE || r->ref == WIRE_REF_NULL || !block[r->ref])
        return 1;
    uint64_t size = box->size[r->ref];
    uint64_t bad = pattern_check_block(as_pointer(block[r->ref]), size, box->key[r->ref], sparse());
    return bad == size || complain(COMPLAINT_DAMAGED, bad);
}

/* The heap as far as this process believes in it; outside, a fill would crash us instead. */
static int plausible(uint64_t address, uint64_t size)
{
    uint64_t heap = mem_heapsize();

    return address >= box->heap_base && address - box->heap_base <= heap
        && size <= heap - (address - box->heap_base);
}

static int heap_is_sound(uint32_t number)
{
    if (!(box->flags & WIRE_CHECK_EACH) || !mm_checkheap)
        return 1;
    box->complaint = COMPLAINT_CHECKHEAP; /* it may crash as well */
    int result = mm_checkheap((int)number);
    if (box->flags & WIRE_CHECK_BOOL)
        result = !(unsigned char)result;
    else if (!(box->flags & WIRE_CHECK_INT))
        result = 0;
    box->status = result;
    if (result == 0)
        box->complaint = COMPLAINT_NONE;
    return result == 0;
}

static int check_after(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    box->brk[index] = mem_heapsize();
    if (r->kind != REQ_FREE && block[index]) {
        unsigned char *payload = as_pointer(block[index]);
        uint64_t from = 0;

        if (!plausible(block[index], r->size))
            return complain(COMPLAINT_BAD_ADDRESS, 0);
        if (r->kind == REQ_CALLOC && !sparse()) {
            for (uint64_t i = 0; i < r->size; i++)
                if (payload[i])
                    return complain(COMPLAINT_NOT_ZERO, i);
        }
        if (r->kind == REQ_REALLOC && r->ref != WIRE_REF_NULL && block[r->ref]) {
            uint64_t old = box->size[r->ref], kept = old < r->size ? old : r->size;
            uint64_t bad = pattern_check_kept(payload, kept, old, box->key[r->ref], sparse());
            if (bad < kept)
                return complain(COMPLAINT_LOST, bad);
            from = sparse() ? 0 : kept;
        }
        pattern_fill_block(payload, from, r->size, box->key[index], sparse());
    }
    if (roots) {
        uint64_t first = box->first - 1, ref = r->ref;
        uint64_t dropped = ref == WIRE_REF_NULL ? WIRE_NULL : ref < WIRE_OLD ? first + ref : box->older[ref - WIRE_OLD];
        move_root(first + index, r->kind == REQ_FREE ? 0 : block[index], dropped);
    }
    box->done = (uint32_t)index + 1; /* before mm_checkheap: its complaint is about this request's outcome */
    if (!heap_is_sound(box->first + (uint32_t)index))
        return complain(COMPLAINT_CHECKHEAP, 0);
    return 1;
}

static const struct visitor checking = { check_before, check_after };

/* An array so large that its size overflows: a block for it would be too small. */
static void overflow(void)
{
    const size_t item = 24;
    void *p = mm_calloc(SIZE_MAX / item + 1, item);

    box->block[0] = as_address(p);
    yield_turn(EVENT_BATCH);
}

static void check_pass(void)
{
    yield_turn(EVENT_READY);
    box->status = !start_allocator();
    box->brk_after_init = mem_heapsize();
    yield_turn(EVENT_INIT);
    for (;;) {
        box->done = 0;
        box->complaint = COMPLAINT_NONE;
        if (box->flags & WIRE_OVERFLOW) {
            overflow();
            continue;
        }
        uint64_t done = roots ? replay(box->request, box->count, box->block, &collected, &checking)
                              : replay(box->request, box->count, box->block, &whole, &checking);
        tell_pauses();
        yield_turn(done == box->count ? EVENT_BATCH : EVENT_STOP);
    }
}

/* ---- timed and latency passes ---- */

static const struct wire_request *requests;
static uint64_t *answers; /* the block table, then (latency) one cost a request */

/* Calls that do nothing: what remains is the harness. */
static __attribute__((noinline)) void *no_malloc(size_t size)
{
    __asm__ volatile("" : "+r"(size));
    return NULL;
}
static __attribute__((noinline)) void *no_calloc(size_t count, size_t size)
{
    __asm__ volatile("" : "+r"(size), "+r"(count));
    return NULL;
}
static __attribute__((noinline)) void *no_realloc(void *p, size_t size)
{
    __asm__ volatile("" : "+r"(size), "+r"(p));
    return NULL;
}
static __attribute__((noinline)) void no_free(void *p) { __asm__ volatile("" : "+r"(p)); }

static const struct allocator harness = { no_malloc, no_calloc, no_realloc, no_free };
static const struct visitor nobody = { NULL, NULL };

static void attach(void)
{
    mem_attach(&(struct mem_host){
        .base = as_pointer(box->heap_base), .limit = (size_t)box->heap_limit,
        .granted = (size_t)box->heap_granted, .grow = grow,
        .sbrk_is_int = (box->flags & WIRE_SBRK_INT) != 0,
    });
}

/* The allocator's own static data, which the build gathers in two sections: every
 * round begins with it as the first one did, so that an mm_init may rely on
 * zeroes, and so that nothing is remembered. */
extern unsigned char __start_mm_data[] __attribute__((weak)), __stop_mm_data[] __attribute__((weak));
extern unsigned char __start_mm_bss[] __attribute__((weak)), __stop_mm_bss[] __attribute__((weak));

static unsigned char kept[WIRE_KEPT_STATIC];

static void copy_statics(int back)
{
    unsigned char *part[] = { __start_mm_data, __start_mm_bss };
    size_t size[] = { (size_t)((uintptr_t)__stop_mm_data - (uintptr_t)__start_mm_data),
                      (size_t)((uintptr_t)__stop_mm_bss - (uintptr_t)__start_mm_bss) };
    unsigned char *copy = kept;

    if (size[0] > sizeof kept || size[1] > sizeof kept - size[0])
        return; /* then there is one round a process */
    for (int i = 0; i < 2; copy += size[i++]) {
        if (size[i])
            memcpy(back ? part[i] : copy, back ? copy : part[i], size[i]);
    }
}

/* The measured region; a function of its own so that callgrind can count just this. */
__attribute__((noinline)) void replay_timed(void);
void replay_timed(void)
{
    for (uint32_t round = 0; round < box->repeat; round++) {
        if (round) { /* an empty heap again, zero as new memory is */
            attach();
            copy_statics(1);
            srand(1); /* as rand() begins: a skip list or treap takes the same turns */
            memset(as_pointer(box->heap_base), 0, (size_t)box->heap_granted);
            memset(answers, 0, (size_t)box->request_count * sizeof *answers); /* not to be copied from */
            if (roots)
                memset(roots, 0, (size_t)box->request_count * sizeof *roots);
        }
        if (box->flags & WIRE_HARNESS)
            replay(requests, box->request_count, answers, &harness, &nobody);
        else if (!start_allocator())
            _exit(3);
        else if (roots)
            replay(requests, box->request_count, answers, &collected, &rooting);
        else
            replay(requests, box->request_count, answers, &whole, &nobody);
    }
}

/* The kernel attests a stop to the supervisor; no word of ours is needed. */
static void stop_self(void) { syscall(SYS_kill, getpid(), SIGSTOP); }

static uint64_t started;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int start_clock(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    (void)index, (void)r, (void)block;
    started = now();
    return 1;
}

static int stop_clock(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    (void)r, (void)block;
    answers[box->request_count + index] = now() - started;
    return 1;
}

static int stop_clock_and_root(uint64_t index, const struct wire_request *r, const uint64_t *block)
{
    return stop_clock(index, r, block) && root_after(index, r, block);
}

static const struct visitor latencies = { start_clock, stop_clock };
static const struct visitor rooted_latencies = { start_clock, stop_clock_and_root };

static int read_pages(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + segment->p_vaddr;
        for (size_t k = 0; segment->p_type == PT_LOAD && k < segment->p_memsz; k += 4096)
            (void)*(const volatile unsigned char *)(at + k);
    }
    return 0;
}

/* Code and static data as the heap is: present before the clock runs, or a trace
 * of a dozen requests would be charged for the faults of its first calls. */
static void fault_in_program(void)
{
    unsigned char *part[] = { __start_mm_data, __start_mm_bss }, *stop[] = { __stop_mm_data, __stop_mm_bss };

    dl_iterate_phdr(read_pages, NULL);
    for (int i = 0; i < 2; i++)
        for (volatile unsigned char *p = part[i]; p < stop[i]; p += 4096)
            *p = *p; /* cppcheck-suppress selfAssignment ; a write, so that the page is there */
}

static void timed_pass(void)
{
    fault_in_program();
    if (box->repeat > 1)
        copy_statics(0);
    stop_self(); /* ready; the requests arrive while we are stopped */
    if (box->mode == WIRE_LATENCY) {
        if (!start_allocator())
            _exit(3);
        if (roots)
            replay(requests, box->request_count, answers, &collected, &rooted_latencies);
        else
            replay(requests, box->request_count, answers, &whole, &latencies);
    } else {
        replay_timed();
    }
    if (!(box->flags & WIRE_HARNESS))
        tell_pauses();
    stop_self(); /* done */
    _exit(0);
}

/* ---- start ---- */

static void *map(int fd, void *at, uint64_t size, int prot, int flags)
{
    void *p = mmap(at, (size_t)size, prot, MAP_SHARED | flags, fd, 0);

    if (p == MAP_FAILED || (at && p != at))
        _exit(4);
    return p;
}

int main(void)
{
    static char line_buffer[1024];
    const uint64_t page = 4096;

    setvbuf(stdout, line_buffer, _IOLBF, sizeof line_buffer);
    box = map(FD_MAILBOX, NULL, (sizeof *box + page - 1) / page * page, PROT_READ | PROT_WRITE, 0);
    if (box->magic != WIRE_MAGIC)
        _exit(4);
    int prefault = box->mode == WIRE_CHECK || sparse() ? MAP_NORESERVE : MAP_POPULATE;
    uint64_t extent = box->mode == WIRE_CHECK ? box->heap_limit : box->heap_granted;
    if (extent)
        map(FD_HEAP, as_pointer(box->heap_base), extent, PROT_READ | PROT_WRITE,
            MAP_FIXED_NOREPLACE | prefault);
    if (box->mode != WIRE_CHECK)
        requests = map(FD_REQUESTS, NULL, (box->request_count + 1) * sizeof *requests, PROT_READ,
                       MAP_POPULATE);
    if (box->mode != WIRE_CHECK || box->flags & WIRE_GC)
        answers = map(FD_ANSWERS, NULL,
                      wire_answer_words(box->mode, box->flags, box->request_count) * sizeof *answers,
                      PROT_READ | PROT_WRITE, MAP_POPULATE);
    if (box->flags & WIRE_GC && mm_gc_roots)
        roots = (void **)(answers + wire_roots_at(box->mode, box->request_count));
    for (int fd = FD_MAILBOX; fd <= FD_ANSWERS; fd++)
        close(fd);
    stack_top = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    catch_signals();
    attach();
    if (box->mode == WIRE_CHECK)
        check_pass();
    else
        timed_pass();
    return 0;
}
