// CUDA's words for the host's C++ compiler, so that tests run the very sources of the kernels: the threads of a block are fibres of one
// thread of the system, which give way to each other at __syncthreads. Linux.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>
#include <ucontext.h>

#define __global__
#define __device__
// A block runs to its end before the next one begins, and a launch stays on one thread of the system.
#define __shared__ static thread_local
#define __syncthreads host::give_way

struct dim3 { unsigned x, y, z; };

static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace host {

struct Kernel {
    void (*run)(void* kernel, void** arguments);
    void* kernel;
};

// Calls a kernel with arguments that are given by address, as cuLaunchKernel does.
template <typename... Arguments, std::size_t... Places>
void call(void (*kernel)(Arguments...), void** arguments, std::index_sequence<Places...>) {
    kernel(*(std::remove_const_t<Arguments>*)arguments[Places]...);
}

template <typename... Arguments> Kernel bind(void (*kernel)(Arguments...)) {
    auto run = [](void* kernel, void** arguments) {
        call((void (*)(Arguments...))kernel, arguments, std::index_sequence_for<Arguments...>{});
    };
    return {run, (void*)kernel};
}

// One thread of the block after the other, until one waits at a barrier; then another fibre takes the next ones.
struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    dim3 index;
    bool waits;
};

struct Block {
    Kernel kernel;
    void** arguments;
    unsigned next, threads;
    ucontext_t main;
    Fibre* current;
};

static thread_local Block block;
static thread_local std::vector<std::unique_ptr<Fibre>> fibres;

static const std::size_t STACK = 256 << 10;

static void give_way() {
    Fibre* self = block.current;
    self->index = threadIdx;
    self->waits = true;
    swapcontext(&self->context, &block.main);
    threadIdx = self->index;
}

static void work() {
    while (block.next < block.threads) {
        unsigned number = block.next++;
        threadIdx = {number % blockDim.x, number / blockDim.x % blockDim.y, number / (blockDim.x * blockDim.y)};
        block.kernel.run(block.kernel.kernel, block.arguments);
    }
    block.current->waits = false;
}

static void resume(std::size_t number) {
    block.current = fibres[number].get();
    swapcontext(&block.main, &block.current->context);
}

static void run_block() {
    block.next = 0;
    std::size_t used = 0;
    while (block.next < block.threads) {
        if (fibres.size() == used) {
            fibres.push_back(std::make_unique<Fibre>());
            fibres.back()->stack.reset(new char[STACK]);
        }
        Fibre& fibre = *fibres[used];
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.get();
        fibre.context.uc_stack.ss_size = STACK;
        fibre.context.uc_link = &block.main;
        makecontext(&fibre.context, work, 0);
        resume(used++);
    }
    // all have come to the barrier, or to their end: on to the next one
    for (bool any = true; any;) {
        any = false;
        for (std::size_t number = 0; number < used; number++) {
            if (!fibres[number]->waits) continue;
            resume(number);
            any = any || fibres[number]->waits;
        }
    }
}

static void launch(Kernel kernel, const unsigned* grid, const unsigned* threads, void** arguments) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {threads[0], threads[1], threads[2]};
    block.kernel = kernel;
    block.arguments = arguments;
    block.threads = threads[0] * threads[1] * threads[2];
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) run_block();
}

}
