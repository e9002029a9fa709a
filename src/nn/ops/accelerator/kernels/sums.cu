// Sums over all pixels of a channel, in two stages: blocks of THREADS threads take 32 channels of a piece of the rows each and write to
// `partial` (pieces x sums x channels, f64); then one thread a channel joins the pieces in order. The number of pieces depends on the shape alone, so the order of every sum does.

// Rows that are added in f32 before they go into an f64 sum.
static const u32 RUN = 64;
static const int COLUMNS = 32;

// Which rows and channels a thread has: `lanes` threads share a piece's rows in turn.
struct Share {
    u64 first, end;
    u32 lane, lanes, slot, channel;
    bool live;
};

template <int COUNT> __device__ inline Share share_of(u64 rows, u32 channels) {
    Share share;
    u32 groups = COLUMNS / COUNT;
    share.first = rows * blockIdx.y / gridDim.y;
    share.end = rows * (blockIdx.y + 1) / gridDim.y;
    share.lanes = THREADS / groups;
    share.lane = threadIdx.x / groups;
    share.slot = threadIdx.x % groups * COUNT;
    share.channel = blockIdx.x * COLUMNS + share.slot;
    share.live = share.channel < channels;
    return share;
}

// Adds up what `term(row, values)` says for each row: `SUMS` sums for each of this thread's channels.
template <int COUNT, int SUMS, typename Term> __device__ void add_rows(const Share& share, const Term& term, double (*total)[COUNT]) {
    for (u64 start = share.first + share.lane; share.live && start < share.end; start += (u64)RUN * share.lanes) {
        float run[SUMS][COUNT];
        for (int s = 0; s < SUMS; s++) for (int j = 0; j < COUNT; j++) run[s][j] = 0.0f;
        for (u32 i = 0; i < RUN; i++) {
            u64 row = start + (u64)i * share.lanes;
            if (row >= share.end) break;
            term(row, run);
        }
        for (int s = 0; s < SUMS; s++) for (int j = 0; j < COUNT; j++) total[s][j] += (double)run[s][j];
    }
}

// Joins the threads of a block and writes to partial: pieces x sums x channels.
template <int COUNT, int SUMS> __device__ void join_lanes(const Share& share, double (*total)[COUNT], u32 channels, double* partial) {
    __shared__ double all[THREADS * COUNT];
    for (int s = 0; s < SUMS; s++) {
        __syncthreads();
        for (int j = 0; j < COUNT; j++) all[share.lane * COLUMNS + share.slot + j] = total[s][j];
        __syncthreads();
        u32 channel = blockIdx.x * COLUMNS + threadIdx.x;
        if (threadIdx.x < COLUMNS && channel < channels) {
            double sum = 0.0;
            for (u32 lane = 0; lane < share.lanes; lane++) sum += all[lane * COLUMNS + threadIdx.x];
            partial[((u64)blockIdx.y * SUMS + s) * channels + channel] = sum;
        }
    }
}

template <int COUNT> struct BiasTerm {
    const Store* gradient;
    const u8* codes;
    u32 channels, channel;
    __device__ void operator()(u64 row, float (*run)[COUNT]) const {
        u64 at = row * channels + channel;
        Pack<Store, COUNT> values = fetch<COUNT>(gradient + at);
        Pack<u8, COUNT> code;
        if (codes) code = fetch<COUNT>(codes + at);
#pragma unroll
        for (int j = 0; j < COUNT; j++) run[0][j] += codes && code.at[j] == DEAD ? 0.0f : load(values.at[j]);
    }
};

template <int COUNT> __device__ void bias_partial(const Store* d, const u8* codes, u64 rows, u32 c, double* partial) {
    Share share = share_of<COUNT>(rows, c);
    double total[1][COUNT] = {};
    add_rows<COUNT, 1>(share, BiasTerm<COUNT>{d, codes, c, share.channel}, total);
    join_lanes<COUNT, 1>(share, total, c, partial);
}

// Launch: columns(c, pieces(rows)). Without codes every number counts.
KERNEL bias_gradient_partial(const Store* d, const u8* codes, u64 rows, u32 c, double* partial) {
    if (c % 4 == 0) bias_partial<4>(d, codes, rows, c, partial);
    else bias_partial<1>(d, codes, rows, c, partial);
}

__device__ inline double join_pieces(const double* partial, u32 pieces, u32 sums, u32 which, u32 c, u32 channel) {
    double sum = 0.0;
    for (u32 piece = 0; piece < pieces; piece++) sum += partial[((u64)piece * sums + which) * c + channel];
    return sum;
}

// Launch: channels(c).
KERNEL bias_gradient_finish(const double* partial, u32 pieces, u32 c, u32 accumulate, float* db) {
    u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= c) return;
    float sum = (float)join_pieces(partial, pieces, 1, 0, c, channel);
    db[channel] = accumulate ? db[channel] + sum : sum;
}

// The distance from the piece's first row, and its square: no cancellation however large the mean.
template <int COUNT> struct MomentTerm {
    const Store* z;
    Pack<Store, COUNT> about;
    u32 channels, channel;
    __device__ void operator()(u64 row, float (*run)[COUNT]) const {
        Pack<Store, COUNT> values = fetch<COUNT>(z + row * channels + channel);
#pragma unroll
        for (int j = 0; j < COUNT; j++) {
            float away = load(values.at[j]) - load(about.at[j]);
            run[0][j] += away;
            run[1][j] += away * away;
        }
    }
};

template <int COUNT> __device__ void moments_partial(const Store* z, u64 rows, u32 c, double* partial) {
    Share share = share_of<COUNT>(rows, c);
    double total[2][COUNT] = {};
    if (share.live && share.first < share.end) {
        Pack<Store, COUNT> about = fetch<COUNT>(z + share.first * c + share.channel);
        add_rows<COUNT, 2>(share, MomentTerm<COUNT>{z, about, c, share.channel}, total);
    }
    join_lanes<COUNT, 2>(share, total, c, partial);
}

// Launch: columns(c, pieces(rows)); rows = n * h * w. Sums of each piece about its first row.
KERNEL norm_statistics_partial(const Store* z, u64 rows, u32 c, double* partial) {
    if (c % 4 == 0) moments_partial<4>(z, rows, c, partial);
    else moments_partial<1>(z, rows, c, partial);
}

// weight (z - mean) / sqrt(variance + epsilon) + bias = scale z + shift.
__device__ inline void affine(float mean, float variance, float weight, float bias, float epsilon, float* scale, float* shift) {
    *scale = weight / sqrtf(variance + epsilon);
    *shift = bias - mean * *scale;
}

// Launch: channels(c). Joins the pieces (Chan et al. 1983). Where `running_mean` is null nothing runs along.
KERNEL norm_statistics_finish(const Store* z, const double* partial, u32 pieces, u64 rows, u32 c, const float* weight, const float* bias,
                              float epsilon, float momentum, float* running_mean, float* running_variance, float* mean, float* variance,
                              float* scale, float* shift) {
    u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= c) return;
    double count = 0.0, middle = 0.0, squares = 0.0;
    for (u32 piece = 0; piece < pieces; piece++) {
        u64 first = rows * piece / pieces, end = rows * (piece + 1) / pieces;
        if (first == end) continue;
        double n = (double)(end - first);
        double away = partial[(u64)(2 * piece) * c + channel], square = partial[(u64)(2 * piece + 1) * c + channel];
        double own_mean = (double)load(z[first * c + channel]) + away / n;
        double own_squares = square - away * away / n;
        double delta = own_mean - middle;
        middle += delta * n / (count + n);
        squares += own_squares + delta * delta * count * n / (count + n);
        count += n;
    }
    float batch_mean = (float)middle, batch_variance = (float)(squares / count);
    // what rounding leaves of nothing; a NaN stays
    if (batch_variance < 0.0f) batch_variance = 0.0f;
    mean[channel] = batch_mean;
    variance[channel] = batch_variance;
    affine(batch_mean, batch_variance, weight[channel], bias[channel], epsilon, &scale[channel], &shift[channel]);
    if (running_mean) {
        float pixels = (float)rows, others = pixels - 1.0f;
        float unbiased = pixels / (others > 1.0f ? others : 1.0f);
        running_mean[channel] += momentum * (batch_mean * 1.0f - running_mean[channel]);
        running_variance[channel] += momentum * (batch_variance * unbiased - running_variance[channel]);
    }
}

// Launch: channels(c). For evaluation, from the running statistics.
KERNEL norm_affine(const float* mean, const float* variance, const float* weight, const float* bias, float epsilon, u32 c, float* scale,
                   float* shift) {
    u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel < c) affine(mean[channel], variance[channel], weight[channel], bias[channel], epsilon, &scale[channel], &shift[channel]);
}

// The gradient of each live window, plain and times the distance of its maximum from the mean. A row is a window.
template <int COUNT> struct NormTerm {
    const Store* z;
    const Store* dout;
    const u8* codes;
    const float* mean;
    Shape shape;
    u32 channel;
    __device__ void operator()(u64 window, float (*run)[COUNT]) const {
        u32 rows = shape.height / 2, columns = shape.width / 2, channels = shape.channels;
        u32 line = (u32)(window / columns), x = (u32)(window - (u64)line * columns);
        u64 pixel = ((u64)(line / rows) * shape.height + 2 * (line % rows)) * shape.width + 2 * x;
        u64 at = window * channels + channel;
        Pack<Store, COUNT> gradient = fetch<COUNT>(dout + at);
        Pack<u8, COUNT> code = fetch<COUNT>(codes + at);
#pragma unroll
        for (int j = 0; j < COUNT; j++) {
            if (code.at[j] == DEAD) continue;
            u64 place = pixel + (code.at[j] >> 1) * shape.width + (code.at[j] & 1);
            float best = load(z[place * channels + channel + j]), own = load(gradient.at[j]);
            run[0][j] += own;
            run[1][j] += own * (best - mean[channel + j]);
        }
    }
};

template <int COUNT>
__device__ void norm_partial(const Store* z, const Store* dout, const u8* codes, const float* mean, Shape shape, double* partial) {
    u64 windows = (u64)shape.images * (shape.height / 2) * (shape.width / 2);
    Share share = share_of<COUNT>(windows, shape.channels);
    double total[2][COUNT] = {};
    add_rows<COUNT, 2>(share, NormTerm<COUNT>{z, dout, codes, mean, shape, share.channel}, total);
    join_lanes<COUNT, 2>(share, total, shape.channels, partial);
}

// Launch: columns(c, pieces(n * (h / 2) * (w / 2))).
KERNEL norm_gradient_partial(const Store* z, const Store* dout, const u8* codes, const float* mean, u32 n, u32 h, u32 w, u32 c, double* partial) {
    Shape shape = {n, h, w, c};
    if (c % 4 == 0) norm_partial<4>(z, dout, codes, mean, shape, partial);
    else norm_partial<1>(z, dout, codes, mean, shape, partial);
}

// Launch: channels(c); pixels = n * h * w. slope and offset are those of dz = scale d + slope z + offset.
KERNEL norm_gradient_finish(const double* partial, u32 pieces, u64 pixels, u32 c, const float* mean, const float* variance, const float* scale,
                            float epsilon, u32 accumulate, float* dweight, float* dbias, float* slope, float* offset) {
    u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= c) return;
    float deviation = sqrtf(variance[channel] + epsilon);
    float plain = (float)join_pieces(partial, pieces, 2, 0, c, channel);
    float weighted = (float)(join_pieces(partial, pieces, 2, 1, c, channel) / (double)deviation);
    float down = -scale[channel] / deviation * weighted / (float)pixels;
    slope[channel] = down;
    offset[channel] = -scale[channel] * plain / (float)pixels - down * mean[channel];
    dweight[channel] = accumulate ? dweight[channel] + weighted : weighted;
    dbias[channel] = accumulate ? dbias[channel] + plain : plain;
}
