// What follows the blocks: global average, rectifier, bias, dropout; and class activation maps.

// Launch: each(n * c). N x pixels x C to N x C.
KERNEL average_pool_forward(const Store* x, u32 n, u32 pixels, u32 c, Store* out) {
    for (u64 i = first_of_grid(); i < (u64)n * c; i += all_of_grid()) {
        const Store* from = x + i / c * pixels * c + i % c;
        float sum = 0.0f;
        for (u32 pixel = 0; pixel < pixels; pixel++) sum += load(from[(u64)pixel * c]);
        out[i] = store(sum / (float)pixels);
    }
}

// Launch: each(n * pixels * c).
KERNEL average_pool_backward(const Store* dout, u32 n, u32 pixels, u32 c, Store* dx) {
    for (u64 i = first_of_grid(); i < (u64)n * pixels * c; i += all_of_grid()) {
        dx[i] = store(load(dout[i / ((u64)pixels * c) * c + i % c]) / (float)pixels);
    }
}

// Launch: each(n). The gradient at 0 is 0, as in PyTorch. dx may be dy.
KERNEL relu_backward(const Store* y, const Store* dy, u64 n, Store* dx) {
    for (u64 i = first_of_grid(); i < n; i += all_of_grid()) dx[i] = store(load(y[i]) <= 0.0f ? 0.0f : load(dy[i]));
}

// Launch: each(rows * c). x + bias, rectified if `relu` is 1, of one of the two inputs into those outputs that are not null; in place if wanted.
KERNEL bias_add(const Store* x, const float* x32, const float* bias, u64 rows, u32 c, u32 relu, Store* out, float* out32) {
    for (u64 i = first_of_grid(); i < rows * c; i += all_of_grid()) {
        float value = (x32 ? x32[i] : load(x[i])) + bias[i % c];
        if (relu) value = rectify(value);
        if (out) out[i] = store(value);
        if (out32) out32[i] = value;
    }
}

// Launch: each(n / 8 + 2). Forward and backward alike: the mask is a function of seed, step, layer and place, and the same as that of
// ops/dropout.rs. `first` is the place of x[0] in the whole batch. out may be x.
KERNEL dropout(const Store* x, u64 n, u64 first, float probability, u64 seed, const Control* control, u64 layer, Store* out) {
    Key key = key_of(coordinate(coordinate(stream(seed, DROPOUT), control->step), layer));
    // below(k / 2^53) as an integer comparison
    u64 limit = (u64)ceil((double)probability * 9007199254740992.0);
    float scale = 1.0f / (1.0f - probability);
    for (u64 block = first / 8 + first_of_grid(); 8 * block < first + n; block += all_of_grid()) {
        u64 bits[8];
        random_bits(key, block, bits);
#pragma unroll
        for (int j = 0; j < 8; j++) {
            u64 place = 8 * block + j;
            if (place < first || place >= first + n) continue;
            out[place - first] = store(load(x[place - first]) * ((bits[j] >> 11) < limit ? 0.0f : scale));
        }
    }
}

// Launch: each(n * pixels). features: N x pixels x C, weights: classes x C, chosen: a class for each image; out: N x pixels.
KERNEL class_activation_map(const Store* features, const float* weights, const u32* chosen, u32 n, u32 pixels, u32 c, float* out) {
    for (u64 i = first_of_grid(); i < (u64)n * pixels; i += all_of_grid()) {
        const float* weight = weights + (u64)chosen[i / pixels] * c;
        float sum = 0.0f;
        for (u32 channel = 0; channel < c; channel++) sum += weight[channel] * load(features[i * c + channel]);
        out[i] = sum;
    }
}
