// Resident pictures (rows of red, green, blue bytes) to the network's input: the whole of src/augment, number for number, from a table
// that `augment/table.rs` fills with the draws of the CPU. Only the mean grey of a contrast step is summed in another order, and the
// noise's logarithm, sine and cosine are f32.
//
// Launches, in this order, those that the batch needs: augment_mean, augment_blur_rows, augment_blur_columns, augment_noise; then
// augment_place, which does the rest. A table holds the whole batch (`total` pictures); augment_place may be launched for a part of it,
// because a picture is mixed with the one before it wherever that is.

struct Rgb { float r, g, b; };

static const int BRIGHTNESS = 0;
static const int CONTRAST = 1;
static const int SATURATION = 2;

// Luma with the weights of ITU-R BT.601 as torchvision rounds them.
__device__ inline float grey(Rgb c) { return 0.2989f * c.r + 0.587f * c.g + 0.114f * c.b; }

__device__ inline Rgb scaled(Rgb c, float factor, float rest) {
    Rgb out = {clamp_unit(factor * c.r + rest), clamp_unit(factor * c.g + rest), clamp_unit(factor * c.b + rest)};
    return out;
}

__device__ inline float hue_channel(float hue, float start, float value, float chroma) {
    float k = hue + start;
    if (k >= 6.0f) k -= 6.0f;
    float near = k < 4.0f - k ? k : 4.0f - k;
    return value - chroma * clamp_unit(near);
}

// The hue is turned by `turn` sextants, from -3 to 3.
__device__ inline Rgb turned(Rgb c, float turn) {
    float value = c.r > c.g ? c.r : c.g, least = c.r < c.g ? c.r : c.g;
    value = value > c.b ? value : c.b;
    least = least < c.b ? least : c.b;
    float chroma = value - least, inverse = chroma > 0.0f ? 1.0f / chroma : 0.0f;
    float hue = value <= c.r   ? (c.g - c.b) * inverse
                : value <= c.g ? (c.b - c.r) * inverse + 2.0f
                               : (c.r - c.g) * inverse + 4.0f;
    hue += turn;
    if (hue < 0.0f) hue += 6.0f;
    if (hue >= 6.0f) hue -= 6.0f;
    Rgb out = {hue_channel(hue, 5.0f, value, chroma), hue_channel(hue, 3.0f, value, chroma), hue_channel(hue, 1.0f, value, chroma)};
    return out;
}

// A pixel's bytes, wherever it lies in the whole picture.
__device__ inline const u8* bytes_at(const u8* data, const Picture& picture, int x, int y) {
    return data + picture.offset + 3 * ((u64)y * picture.width + x);
}

// The pixel (x, y) of the cropped picture.
__device__ inline Rgb pixel(const u8* data, const Picture& picture, int x, int y) {
    const u8* at = bytes_at(data, picture, picture.left + x, picture.top + y);
    const float unit = 1.0f / 255.0f;
    Rgb out = {at[0] * unit, at[1] * unit, at[2] * unit};
    return out;
}

// Its colour after the first `steps` colour steps.
__device__ inline Rgb changed(Rgb c, const Picture& picture, int steps, float mean) {
    for (int i = 0; i < steps; i++) {
        float amount = picture.amount[i];
        if (picture.step[i] == BRIGHTNESS) c = scaled(c, amount, 0.0f);
        else if (picture.step[i] == CONTRAST) c = scaled(c, amount, (1.0f - amount) * mean);
        else if (picture.step[i] == SATURATION) c = scaled(c, amount, (1.0f - amount) * grey(c));
        else c = turned(c, amount);
    }
    return c;
}

// Its colour after all of them, and dimmed.
__device__ inline Rgb coloured(const u8* data, const Picture& picture, float mean, int x, int y) {
    Rgb c = changed(pixel(data, picture, x, y), picture, picture.steps, mean);
    return picture.dimming < 1.0f ? scaled(c, picture.dimming, 0.0f) : c;
}

// Launch: [total], THREADS. The mean grey of each picture where its contrast is changed; 0 where it isn't.
KERNEL augment_mean(const u8* data, const void* table, u32 total, float* means) {
    for (u32 n = blockIdx.x; n < total; n += gridDim.x) {
        const Picture& picture = pictures_of(table)[n];
        int before = 0;
        while (before < picture.steps && picture.step[before] != CONTRAST) before++;
        u32 pixels = before < picture.steps ? (u32)picture.crop_width * picture.crop_height : 0;
        double red = 0.0, green = 0.0, blue = 0.0;
        for (u32 i = threadIdx.x; i < pixels; i += THREADS) {
            Rgb c = changed(pixel(data, picture, i % picture.crop_width, i / picture.crop_width), picture, before, 0.0f);
            red += (double)c.r;
            green += (double)c.g;
            blue += (double)c.b;
        }
        double sum = block_sum(0.2989 * red + 0.587 * green + 0.114 * blue);
        if (threadIdx.x == 0) means[n] = pixels ? (float)(sum / (double)pixels) : 0.0f;
    }
}

static const int LARGEST_REACH = 50;

// Reflects at the centres of the outermost pixels: ... 2 1 0 1 2 ...
__device__ inline int reflect_centre(int at, int length) {
    if (at >= 0 && at < length) return at;
    int period = 2 * (length > 1 ? length - 1 : 1), folded = at % period;
    if (folded < 0) folded += period;
    int out = folded < period - folded ? folded : period - folded;
    return out < length - 1 ? out : length - 1;
}

typedef Pack<float, 4> Canvas;

// Launch: [64, total], THREADS. Colours each picture and blurs it along its rows; `weights`: total x taps, `canvas`: total x stride of
// four numbers, where stride is at least the pixels of the largest cropped picture. Pictures without blur are only coloured.
KERNEL augment_blur_rows(const u8* data, const void* table, const float* means, const float* weights, u32 taps, u64 stride, float* canvas) {
    __shared__ Rgb line[THREADS + 2 * LARGEST_REACH];
    u32 n = blockIdx.y;
    const Picture& picture = pictures_of(table)[n];
    float mean = means ? means[n] : 0.0f;
    int width = picture.crop_width, reach = picture.taps / 2, parts = (width + THREADS - 1) / THREADS;
    const float* weight = weights + (u64)n * taps;
    for (int task = blockIdx.x; task < parts * picture.crop_height; task += gridDim.x) {
        int y = task / parts, left = task % parts * THREADS;
        __syncthreads();
        for (int i = threadIdx.x; i < THREADS + 2 * reach; i += THREADS) {
            // what is farther than the border's reflection is read by nobody
            if (left + i < width + 2 * reach) line[i] = coloured(data, picture, mean, reflect_centre(left + i - reach, width), y);
        }
        __syncthreads();
        int x = left + threadIdx.x;
        if (x >= width) continue;
        Canvas out = {{line[threadIdx.x].r, line[threadIdx.x].g, line[threadIdx.x].b, 0.0f}};
        if (picture.taps) out.at[0] = out.at[1] = out.at[2] = 0.0f;
        for (int k = 0; k < picture.taps; k++) {
            Rgb from = line[threadIdx.x + k];
            out.at[0] += weight[k] * from.r;
            out.at[1] += weight[k] * from.g;
            out.at[2] += weight[k] * from.b;
        }
        put<4>(canvas + 4 * (n * stride + (u64)y * width + x), out);
    }
}

// Launch: [64, total], THREADS. Blurs along the columns, from `canvas` into `blurred`.
KERNEL augment_blur_columns(const void* table, const float* weights, u32 taps, u64 stride, const float* canvas, float* blurred) {
    u32 n = blockIdx.y;
    const Picture& picture = pictures_of(table)[n];
    int width = picture.crop_width, height = picture.crop_height, reach = picture.taps / 2;
    const float* weight = weights + (u64)n * taps;
    const float* from = canvas + 4 * n * stride;
    for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < (u32)(width * height); i += gridDim.x * THREADS) {
        int y = i / width, x = i % width;
        Canvas out = {{0.0f, 0.0f, 0.0f, 0.0f}};
        if (!picture.taps) out = fetch<4>(from + 4 * (u64)i);
        for (int k = 0; k < picture.taps; k++) {
            Canvas at = fetch<4>(from + 4 * ((u64)reflect_centre(y + k - reach, height) * width + x));
            for (int c = 0; c < 3; c++) out.at[c] += weight[k] * at.at[c];
        }
        put<4>(blurred + 4 * (n * stride + i), out);
    }
}

// Where the noise of a picture begins: whole blocks of eight numbers, of 3 x side x side.
__device__ inline u64 noise_stride(u32 side) { return (3 * (u64)side * side + 7) / 8 * 8; }

// Launch: [64, total], THREADS. noise: total x (3 * side * side, rounded up to eight), plane by plane as the CPU draws it.
KERNEL augment_noise(const void* table, u32 side, float* noise) {
    u32 n = blockIdx.y;
    const Picture& picture = pictures_of(table)[n];
    if (!(picture.noise > 0.0)) return;
    u64 numbers = noise_stride(side);
    Key key = key_of(stream(picture.noise_seed, AUGMENT));
    for (u64 block = blockIdx.x * THREADS + threadIdx.x; 8 * block < numbers; block += gridDim.x * THREADS) {
        u64 bits[8];
        random_bits(key, block, bits);
        Pack<float, 4> out[2];
#pragma unroll
        for (int pair = 0; pair < 4; pair++) {
            const float unit = 1.0f / 9007199254740992.0f;
            // Box-Muller: 1 - u, which is never 0, without its digits cancelled
            float radius = sqrtf(-2.0f * logf((float)(9007199254740992ull - (bits[2 * pair] >> 11)) * unit));
            float angle = 6.28318530717958647692f * ((float)(bits[2 * pair + 1] >> 11) * unit);
            out[pair / 2].at[2 * (pair % 2)] = (float)picture.noise * (radius * cosf(angle));
            out[pair / 2].at[2 * (pair % 2) + 1] = (float)picture.noise * (radius * sinf(angle));
        }
        put<4>(noise + n * numbers + 8 * block, out[0]);
        put<4>(noise + n * numbers + 8 * block + 4, out[1]);
    }
}

// All that augment_place reads.
struct Source {
    const u8* data;
    const void* table;
    const float* means;
    const float* blurred;
    u64 stride;
    const float* noise;
    int side;
};

__device__ inline Rgb tap(const Source& source, const Picture& picture, u32 n, int x, int y) {
    if (!source.blurred) return coloured(source.data, picture, source.means ? source.means[n] : 0.0f, x, y);
    Canvas at = fetch<4>(source.blurred + 4 * (n * source.stride + (u64)y * picture.crop_width + x));
    Rgb out = {at.at[0], at.at[1], at.at[2]};
    return out;
}

// Reflects at the edges of the outermost pixels: ... 1 0 0 1 2 ...
__device__ inline int reflect_edge(i64 at, int length) {
    i64 folded = at % (2 * (i64)length);
    if (folded < 0) folded += 2 * (i64)length;
    i64 back = 2 * (i64)length - 1 - folded;
    return (int)(folded < back ? folded : back);
}

__device__ inline Rgb mix(Rgb from, Rgb to, float share) {
    Rgb out = {from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share, from.b + (to.b - from.b) * share};
    return out;
}

// What is behind the point of a fixed-point number, in the 24 bits that fit an f32.
__device__ inline float fraction(i64 place) { return (float)(int)((u32)place >> 8) * (1.0f / 16777216.0f); }

static const double ONE = 4294967296.0;

// Bilinear, at the place of column x and row y.
__device__ inline Rgb resampled(const Source& source, const Picture& picture, u32 n, int x, int y) {
    i64 at_x = llround((picture.row_x[0] * (double)y + picture.row_x[1]) * ONE) + picture.step_x * x;
    i64 at_y = llround((picture.row_y[0] * (double)y + picture.row_y[1]) * ONE) + picture.step_y * x;
    int width = picture.crop_width, height = picture.crop_height;
    i64 half = 1ll << 31;
    bool within = at_x >= -half && at_x < ((i64)width << 32) - half && at_y >= -half && at_y < ((i64)height << 32) - half;
    Rgb none = {0.0f, 0.0f, 0.0f};
    if (picture.black && !within) return none;
    i64 left = at_x >> 32, top = at_y >> 32;
    int x0 = reflect_edge(left, width), x1 = reflect_edge(left + 1, width);
    int y0 = reflect_edge(top, height), y1 = reflect_edge(top + 1, height);
    Rgb above = mix(tap(source, picture, n, x0, y0), tap(source, picture, n, x1, y0), fraction(at_x));
    Rgb below = mix(tap(source, picture, n, x0, y1), tap(source, picture, n, x1, y1), fraction(at_x));
    return mix(above, below, fraction(at_y));
}

// Mirrored, then turned by quarters, exactly: a square picture of the network's size.
__device__ inline Rgb posed(const Source& source, const Picture& picture, int x, int y) {
    int last = source.side - 1, from_x = x, from_y = y;
    if (picture.turns == 1) from_x = last - y, from_y = x;
    if (picture.turns == 2) from_x = last - x, from_y = last - y;
    if (picture.turns == 3) from_x = y, from_y = last - x;
    const u8* at = bytes_at(source.data, picture, picture.flip ? last - from_x : from_x, from_y);
    Rgb out = {at[0] / 255.0f, at[1] / 255.0f, at[2] / 255.0f};
    return out;
}

// The pixel (x, y) of the n-th picture, not normalised and not mixed.
__device__ inline Rgb placed(const Source& source, u32 n, int x, int y) {
    const Picture& picture = pictures_of(source.table)[n];
    if (picture.exact) return posed(source, picture, x, y);
    Rgb c = resampled(source, picture, n, x, y);
    if (picture.noise > 0.0) {
        u64 plane = (u64)source.side * source.side;
        const float* noise = source.noise + n * noise_stride(source.side) + (u64)y * source.side + x;
        c.r = clamp_unit(c.r + noise[0]);
        c.g = clamp_unit(c.g + noise[plane]);
        c.b = clamp_unit(c.b + noise[2 * plane]);
    }
    const int* erase = picture.erase;
    if (y >= erase[0] && x >= erase[1] && y < erase[2] && x < erase[3]) c.r = c.g = c.b = 0.0f;
    return c;
}

// Launch: [ceil(side * side / THREADS), count], THREADS. Pictures first to first + count of the table's `total`: geometry, noise, erasing,
// normalising, mixing. out: count x side x side x padded, the channels from the fourth on 0.
KERNEL augment_place(const u8* data, const void* table, const float* means, const float* blurred, u64 stride, const float* noise, u32 side,
                     u32 first, u32 total, u32 padded, float mean_r, float mean_g, float mean_b, float std_r, float std_g, float std_b,
                     Store* out) {
    Source source = {data, table, means, blurred, stride, noise, (int)side};
    u32 at = blockIdx.x * THREADS + threadIdx.x;
    if (at >= side * side) return;
    int x = at % side, y = at / side;
    u32 n = first + blockIdx.y, partner = (n + total - 1) % total;
    const Mixing mixing = *mixing_of(table);
    bool pasted = mixing.kind == PASTED && x >= mixing.left && x < mixing.right && y >= mixing.top && y < mixing.bottom;
    Rgb c = placed(source, pasted ? partner : n, x, y);
    float value[3] = {(c.r - mean_r) / std_r, (c.g - mean_g) / std_g, (c.b - mean_b) / std_b};
    if (mixing.kind == BLENDED) {
        Rgb other = placed(source, partner, x, y);
        value[0] = (other.r - mean_r) / std_r * mixing.rest + value[0] * mixing.share;
        value[1] = (other.g - mean_g) / std_g * mixing.rest + value[1] * mixing.share;
        value[2] = (other.b - mean_b) / std_b * mixing.rest + value[2] * mixing.share;
    }
    Store* to = out + ((u64)blockIdx.y * side * side + at) * padded;
    for (u32 channel = 0; channel < padded; channel++) to[channel] = store(channel < 3 ? value[channel] : 0.0f);
}
