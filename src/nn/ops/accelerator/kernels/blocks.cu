// What follows a convolution: bias or batch norm, rectifier, 2 x 2 max-pool, and their gradients, channels last.
// The arithmetic is that of engine/relu_pool.rs, norm_pool.rs and norm_gradient.rs.
//
// A code says where the maximum of a window was: 2 * row + column, or DEAD. An odd last row or column is in no window.

static const u8 DEAD = 4;

struct Shape { u32 images, height, width, channels; };

// The largest of a window: the first of equals in reading order; a NaN wins.
__device__ inline float largest(const float* window, u8* code) {
    float best = window[0];
    *code = 0;
#pragma unroll
    for (int i = 1; i < 4; i++) {
        if (window[i] > best || window[i] != window[i]) {
            best = window[i];
            *code = (u8)i;
        }
    }
    return best;
}

// z + bias, where the bias is added to the largest only.
struct Biased {
    const float* bias;
    __device__ float before(float z, u32) const { return z; }
    __device__ float after(float best, u32 channel) const { return best + bias[channel]; }
};

// z * scale + shift; a negative scale turns the order round, so that it comes first.
struct Normed {
    const float* scale;
    const float* shift;
    __device__ float before(float z, u32 channel) const { return z * scale[channel] + shift[channel]; }
    __device__ float after(float best, u32) const { return best; }
};

// One block a row of windows.
template <int COUNT, typename Affine>
__device__ void pool(const Store* z, Affine affine, Shape shape, Store* out, u8* codes) {
    u32 channels = shape.channels, rows = shape.height / 2, columns = shape.width / 2, groups = channels / COUNT;
    for (u32 row = blockIdx.x; row < shape.images * rows; row += gridDim.x) {
        u64 first_pixel = ((u64)(row / rows) * shape.height + 2 * (row % rows)) * shape.width;
        for (u32 i = threadIdx.x; i < columns * groups; i += blockDim.x) {
            u32 column = i / groups, channel = i % groups * COUNT;
            const Store* corner = z + (first_pixel + 2 * column) * channels + channel;
            u64 below = (u64)shape.width * channels;
            Pack<Store, COUNT> a = fetch<COUNT>(corner), b = fetch<COUNT>(corner + channels);
            Pack<Store, COUNT> c = fetch<COUNT>(corner + below), d = fetch<COUNT>(corner + below + channels);
            Pack<Store, COUNT> best;
            Pack<u8, COUNT> code;
#pragma unroll
            for (int j = 0; j < COUNT; j++) {
                u32 at = channel + j;
                float window[4] = {
                    affine.before(load(a.at[j]), at), affine.before(load(b.at[j]), at),
                    affine.before(load(c.at[j]), at), affine.before(load(d.at[j]), at),
                };
                float value = affine.after(largest(window, &code.at[j]), at);
                best.at[j] = store(rectify(value));
                if (value <= 0.0f) code.at[j] = DEAD;
            }
            u64 to = ((u64)row * columns + column) * channels + channel;
            put<COUNT>(out + to, best);
            put<COUNT>(codes + to, code);
        }
    }
}

// Launch: rows(n * (h / 2)).
KERNEL relu_pool_forward(const Store* z, const float* bias, u32 n, u32 h, u32 w, u32 c, Store* out, u8* codes) {
    Shape shape = {n, h, w, c};
    if (c % WIDE == 0) pool<WIDE>(z, Biased{bias}, shape, out, codes);
    else pool<1>(z, Biased{bias}, shape, out, codes);
}

// Launch: rows(n * (h / 2)).
KERNEL norm_relu_pool_forward(const Store* z, const float* scale, const float* shift, u32 n, u32 h, u32 w, u32 c, Store* out, u8* codes) {
    Shape shape = {n, h, w, c};
    if (c % WIDE == 0) pool<WIDE>(z, Normed{scale, shift}, shape, out, codes);
    else pool<1>(z, Normed{scale, shift}, shape, out, codes);
}

// The gradient of z where it reached the output.
struct Passed {
    __device__ bool reads() const { return false; }
    __device__ float of(float gradient, float, u32) const { return gradient; }
};

// dz = scale * d + slope * z + offset: the statistics depend on z, too.
struct Through {
    const float* scale;
    const float* slope;
    const float* offset;
    __device__ bool reads() const { return true; }
    __device__ float of(float gradient, float z, u32 channel) const {
        return slope[channel] * z + offset[channel] + scale[channel] * gradient;
    }
};

// One block a row of windows, those that are cut off by the edge too. `z` may be `dz`.
template <int COUNT, typename Line>
__device__ void unpool(const Store* z, const Store* dout, const u8* codes, Line line, Shape shape, Store* dz) {
    u32 channels = shape.channels, groups = channels / COUNT, rows = shape.height / 2, columns = shape.width / 2;
    u32 all_rows = (shape.height + 1) / 2, all_columns = (shape.width + 1) / 2;
    for (u32 task = blockIdx.x; task < shape.images * all_rows; task += gridDim.x) {
        u32 image = task / all_rows, row = task % all_rows;
        for (u32 i = threadIdx.x; i < all_columns * groups; i += blockDim.x) {
            u32 column = i / groups, channel = i % groups * COUNT;
            Pack<Store, COUNT> gradient;
            Pack<u8, COUNT> code;
            if (row < rows && column < columns) {
                u64 from = (((u64)image * rows + row) * columns + column) * channels + channel;
                gradient = fetch<COUNT>(dout + from);
                code = fetch<COUNT>(codes + from);
            } else {
#pragma unroll
                for (int j = 0; j < COUNT; j++) code.at[j] = DEAD;
            }
            for (u32 place = 0; place < 4; place++) {
                u32 y = 2 * row + place / 2, x = 2 * column + place % 2;
                if (y >= shape.height || x >= shape.width) continue;
                u64 at = (((u64)image * shape.height + y) * shape.width + x) * channels + channel;
                Pack<Store, COUNT> values;
                if (line.reads()) values = fetch<COUNT>(z + at);
#pragma unroll
                for (int j = 0; j < COUNT; j++) {
                    float own = line.reads() ? load(values.at[j]) : 0.0f;
                    float passed = code.at[j] == place ? load(gradient.at[j]) : 0.0f;
                    values.at[j] = store(line.of(passed, own, channel + j));
                }
                put<COUNT>(dz + at, values);
            }
        }
    }
}

// Launch: rows(n * ceil(h / 2)). Writes all of dz.
KERNEL relu_pool_backward(const Store* dout, const u8* codes, u32 n, u32 h, u32 w, u32 c, Store* dz) {
    Shape shape = {n, h, w, c};
    if (c % WIDE == 0) unpool<WIDE>(dz, dout, codes, Passed{}, shape, dz);
    else unpool<1>(dz, dout, codes, Passed{}, shape, dz);
}

// Launch: rows(n * ceil(h / 2)). dz may be z itself.
KERNEL norm_relu_pool_backward(const Store* z, const Store* dout, const u8* codes, const float* scale, const float* slope, const float* offset,
                               u32 n, u32 h, u32 w, u32 c, Store* dz) {
    Shape shape = {n, h, w, c};
    Through through = {scale, slope, offset};
    if (c % WIDE == 0) unpool<WIDE>(z, dout, codes, through, shape, dz);
    else unpool<1>(z, dout, codes, through, shape, dz);
}
