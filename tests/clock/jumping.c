/* A clock on the wall that jumps: loaded before the C library, it moves every reading by up to a century, forwards or
 * backwards. The monotonic clock, which no system sets, goes on as ever. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

static time_t jump(void) {
    static atomic_uint readings;
    unsigned number = atomic_fetch_add(&readings, 1);
    time_t years = (time_t)(number * 2654435761u % 200) - 100;
    return years * 365 * 24 * 3600;
}

int clock_gettime(clockid_t clock, struct timespec *reading) {
    static int (*original)(clockid_t, struct timespec *);
    if (!original)
        original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, reading);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        reading->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict reading, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    reading->tv_sec = precise.tv_sec;
    reading->tv_usec = precise.tv_nsec / 1000;
    return result;
}

time_t time(time_t *reading) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (reading)
        *reading = precise.tv_sec;
    return precise.tv_sec;
}
