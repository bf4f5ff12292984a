/*
 * A preload that lets one call fail. For each name of points.inc it defines a function of that name,
 * which counts the call and either goes on to the real function or fails as the test demands, whose
 * words are in a file that both have mapped. No signature is known here: the arguments stay where
 * they are, so this is for one machine, x86-64.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POINTS_MAX = 512, CALLER_MAX = 200 };

enum action {
    RETURN,    /* `value`, with `error` in errno; the real function is not called */
    CUT,       /* the connection to the database ends, and the real function finds that */
    LITTLE,    /* the real function, with one byte as its third argument */
    WITH_NOISE /* the real function, and errno is set before: nobody may take that for a failure */
};

/* As support/injection.py has it. */
struct control {
    int32_t is_armed, point;
    int64_t first, last; /* which calls of the point fail, from 0 */
    int32_t action, error;
    int64_t value;
    int64_t fired;
    char caller[CALLER_MAX];
    int64_t counts[POINTS_MAX];
};

struct decision {
    void *real; /* NULL: `value` is returned */
    int64_t value;
};

/* The registers of the six first arguments, as they are saved below. */
struct arguments {
    int64_t r9, r8, rcx, rdx, rsi, rdi;
};

static const char *const names[] = {
#define POINT(number, name) [number] = #name,
#include "points.inc"
#undef POINT
};

enum {
#define POINT(number, name) POINT_##name = number,
#include "points.inc"
#undef POINT
};

static void *reals[sizeof(names) / sizeof(names[0])];
static struct control *control;
static int connection = -1;
static __thread int is_inside __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("INJECT_CONTROL");
    int file = path == NULL ? -1 : (int)syscall(2 /* open */, path, O_RDWR);
    void *mapped;

    if (file < 0)
        return;
    mapped = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)syscall(3 /* close */, file);
    if (mapped != MAP_FAILED)
        control = mapped;
}

static void *real_of(int64_t point)
{
    if (reals[point] == NULL) {
        if (is_inside)
            abort();
        is_inside = 1;
        reals[point] = dlsym(RTLD_NEXT, names[point]);
        is_inside = 0;
    }
    return reals[point];
}

static void note_caller(const void *address)
{
    Dl_info info;
    const char *name;

    if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
        return;
    name = strrchr(info.dli_fname, '/');
    strncpy(control->caller, name == NULL ? info.dli_fname : name + 1, CALLER_MAX / 2);
    if (info.dli_sname == NULL)
        return;
    strncat(control->caller, ": ", 3);
    strncat(control->caller, info.dli_sname, CALLER_MAX / 2 - 4);
}

static int is_due(int64_t point)
{
    int64_t number = control->counts[point]++;

    return point == control->point && number >= control->first && number <= control->last;
}

static struct decision act(void *real, struct arguments *arguments)
{
    switch ((enum action)control->action) {
    case RETURN:
        errno = control->error;
        return (struct decision){NULL, control->value};
    case CUT:
        if (connection >= 0)
            (void)syscall(48 /* shutdown */, connection, SHUT_RDWR);
        break;
    case LITTLE:
        arguments->rdx = arguments->rdx > 1 ? 1 : arguments->rdx;
        break;
    case WITH_NOISE:
        errno = control->error;
        break;
    }
    return (struct decision){real, 0};
}

struct decision inject_decide(int64_t point, struct arguments *arguments, const void *caller);
struct decision inject_decide(int64_t point, struct arguments *arguments, const void *caller)
{
    void *real = real_of(point);

    if (point == POINT_connect)
        connection = (int)arguments->rdi;
    if (control == NULL || !control->is_armed || !is_due(point))
        return (struct decision){real, 0};
    if (control->fired++ == 0)
        note_caller(caller);
    return act(real, arguments);
}

/* 8 words are pushed before the room for the vector registers: the stack stays aligned. */
__asm__(".text\n"
        ".type inject_common, @function\n"
        "inject_common:\n"
        "  pushq %rdi\n  pushq %rsi\n  pushq %rdx\n  pushq %rcx\n  pushq %r8\n  pushq %r9\n"
        "  pushq %rax\n"
        "  subq $136, %rsp\n"
        "  movups %xmm0, (%rsp)\n  movups %xmm1, 16(%rsp)\n"
        "  movups %xmm2, 32(%rsp)\n  movups %xmm3, 48(%rsp)\n"
        "  movups %xmm4, 64(%rsp)\n  movups %xmm5, 80(%rsp)\n"
        "  movups %xmm6, 96(%rsp)\n  movups %xmm7, 112(%rsp)\n"
        "  movq 192(%rsp), %rdi\n"
        "  leaq 144(%rsp), %rsi\n"
        "  movq 200(%rsp), %rdx\n"
        "  call inject_decide\n"
        "  movq %rax, %r11\n  movq %rdx, %r10\n"
        "  movups (%rsp), %xmm0\n  movups 16(%rsp), %xmm1\n"
        "  movups 32(%rsp), %xmm2\n  movups 48(%rsp), %xmm3\n"
        "  movups 64(%rsp), %xmm4\n  movups 80(%rsp), %xmm5\n"
        "  movups 96(%rsp), %xmm6\n  movups 112(%rsp), %xmm7\n"
        "  addq $136, %rsp\n"
        "  popq %rax\n"
        "  popq %r9\n  popq %r8\n  popq %rcx\n  popq %rdx\n  popq %rsi\n  popq %rdi\n"
        "  addq $8, %rsp\n"
        "  testq %r11, %r11\n"
        "  jz 1f\n"
        "  jmp *%r11\n"
        "1: movq %r10, %rax\n"
        "  ret\n"
        ".size inject_common, . - inject_common\n");

#define POINT(number, name)                                                                        \
    __asm__(".globl " #name "\n.type " #name ", @function\n" #name ":\n"                           \
            "  pushq $" #number "\n  jmp inject_common\n.size " #name ", . - " #name "\n");
#include "points.inc"
