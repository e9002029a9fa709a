// What all kernels share: storage types, sums over a block, the seeded generator. No includes: the file is compiled at run time.
//
// STORAGE says how activations are stored: 0 f32, 1 bf16, 2 f16. Sums are always f32 or f64.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define KERNEL extern "C" __global__ void

// The bits of a number, and back. The same as CUDA's intrinsics, and the same on the host.
__device__ inline u32 bits_of(float value) {
    union { float number; u32 bits; } both;
    both.number = value;
    return both.bits;
}

__device__ inline float of_bits(u32 bits) {
    union { float number; u32 bits; } both;
    both.bits = bits;
    return both.number;
}

#if STORAGE == 0

typedef float Store;

__device__ inline float load(Store value) { return value; }
__device__ inline Store store(float value) { return value; }

#elif STORAGE == 1

struct Store { u16 bits; };

__device__ inline float load(Store value) { return of_bits((u32)value.bits << 16); }

// to the nearest, ties to even; a NaN stays one
__device__ inline Store store(float value) {
    u32 bits = bits_of(value);
    Store out;
    if (value != value) out.bits = (u16)((bits >> 16) | 0x0040u);
    else out.bits = (u16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    return out;
}

#else

struct Store { u16 bits; };

__device__ inline float load(Store value) {
    u32 sign = ((u32)value.bits & 0x8000u) << 16, rest = value.bits & 0x7fffu;
    // below 2^-14 a number is its bits times 2^-24
    if (rest < 0x0400u) return of_bits(sign | bits_of((float)rest * 5.9604644775390625e-8f));
    if (rest >= 0x7c00u) return of_bits(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    return of_bits(sign | ((rest << 13) + 0x38000000u));
}

// to the nearest, ties to even; from 65520 on infinity; a NaN stays one
__device__ inline Store store(float value) {
    u32 bits = bits_of(value), sign = (bits >> 16) & 0x8000u, rest = bits & 0x7fffffffu;
    Store out;
    if (rest > 0x7f800000u) out.bits = (u16)(sign | 0x7e00u);
    else if (rest >= 0x477ff000u) out.bits = (u16)(sign | 0x7c00u);
    // below 2^-14 the sum with 1/2 has the last bit of the result as its own last bit, and rounds to it
    else if (rest < 0x38800000u) out.bits = (u16)(sign | (bits_of(of_bits(rest) + 0.5f) - 0x3f000000u));
    else out.bits = (u16)(sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13) & 1u)) >> 13));
    return out;
}

#endif

// Neighbouring numbers that are moved together: 16 bytes of activations where the channels allow it.
template <typename T, int COUNT> struct alignas(COUNT * sizeof(T)) Pack { T at[COUNT]; };

static const int WIDE = 16 / (int)sizeof(Store);

template <int COUNT, typename T> __device__ inline Pack<T, COUNT> fetch(const T* from) { return *(const Pack<T, COUNT>*)from; }
template <int COUNT, typename T> __device__ inline void put(T* to, const Pack<T, COUNT>& values) { *(Pack<T, COUNT>*)to = values; }

// This thread's number in the whole grid, and how many there are: `for (u64 i = first_of_grid(); i < n; i += all_of_grid())`.
__device__ inline u64 first_of_grid() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline u64 all_of_grid() { return (u64)gridDim.x * blockDim.x; }

__device__ inline bool is_finite(double value) { return value - value == 0.0; }

__device__ inline float clamp_unit(float value) { return value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value; }

// The rectifier. Not `value > 0`: a NaN must stay one, so that the loss shows it.
__device__ inline float rectify(float value) { return value <= 0.0f ? 0.0f : value; }

static const int THREADS = 256;

// The sum over a block of THREADS threads, for thread 0; in the same order whatever happens.
__device__ inline double block_sum(double value) {
    __shared__ double values[THREADS];
    __syncthreads();
    values[threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.x < 16) {
        double sum = 0.0;
        for (int i = 0; i < 16; i++) sum += values[16 * threadIdx.x + i];
        values[16 * threadIdx.x] = sum;
    }
    __syncthreads();
    double sum = 0.0;
    if (threadIdx.x == 0) {
        for (int i = 0; i < 16; i++) sum += values[16 * i];
    }
    return sum;
}

// The generator of src/random.rs: a ChaCha8 stream whose key is a function of a seed, a purpose and coordinates.
struct Key { u32 word[8]; };

static const u64 GOLDEN = 0x9e3779b97f4a7c15ull;
static const u64 AUGMENT = 4;
static const u64 DROPOUT = 5;

__device__ inline u64 avalanche(u64 x) {
    u64 z = x + GOLDEN;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

__device__ inline u64 stream(u64 seed, u64 purpose) { return avalanche(seed ^ avalanche(purpose)); }
__device__ inline u64 coordinate(u64 state, u64 at) { return avalanche(state + avalanche(at + GOLDEN)); }

__device__ inline Key key_of(u64 state) {
    Key key;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        state = avalanche(state);
        key.word[2 * i] = (u32)state;
        key.word[2 * i + 1] = (u32)(state >> 32);
    }
    return key;
}

__device__ inline u32 turn_left(u32 x, int by) { return (x << by) | (x >> (32 - by)); }

__device__ inline void quarter(u32& a, u32& b, u32& c, u32& d) {
    a += b; d = turn_left(d ^ a, 16);
    c += d; b = turn_left(b ^ c, 12);
    a += b; d = turn_left(d ^ a, 8);
    c += d; b = turn_left(b ^ c, 7);
}

// Numbers 8 * block to 8 * block + 7 of a stream.
__device__ inline void random_bits(const Key& key, u64 block, u64* out) {
    u32 start[16] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u};
#pragma unroll
    for (int i = 0; i < 8; i++) start[4 + i] = key.word[i];
    start[12] = (u32)block;
    start[13] = (u32)(block >> 32);
    start[14] = start[15] = 0;
    u32 s[16];
#pragma unroll
    for (int i = 0; i < 16; i++) s[i] = start[i];
    for (int round = 0; round < 4; round++) {
        quarter(s[0], s[4], s[8], s[12]);
        quarter(s[1], s[5], s[9], s[13]);
        quarter(s[2], s[6], s[10], s[14]);
        quarter(s[3], s[7], s[11], s[15]);
        quarter(s[0], s[5], s[10], s[15]);
        quarter(s[1], s[6], s[11], s[12]);
        quarter(s[2], s[7], s[8], s[13]);
        quarter(s[3], s[4], s[9], s[14]);
    }
#pragma unroll
    for (int i = 0; i < 8; i++) out[i] = (u64)(s[2 * i] + start[2 * i]) | (u64)(s[2 * i + 1] + start[2 * i + 1]) << 32;
}
