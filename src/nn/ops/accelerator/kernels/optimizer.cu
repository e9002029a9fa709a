// One step of the optimiser on all parameters at once: the gradient's norm, what follows from it, the update. train/optimizer.rs number
// for number; nothing of it comes back to the host.

static const double BETA2 = 0.999;
static const double EPSILON = 1e-8;
// PyTorch's GradScaler waits as long before it doubles the scale.
static const u32 CALM_STEPS = 2000;
static const float LARGEST_SCALE = 16777216.0f;
// A scale this small means that no scale would help.
static const float SMALLEST_SCALE = 1.0f / 65536.0f;

// Launch: [count], THREADS. The sum of squares of each tile.
KERNEL gradient_squares(const Parameter* parameters, const Tile* tiles, u32 count, double* partial) {
    for (u32 tile = blockIdx.x; tile < count; tile += gridDim.x) {
        Parameter parameter = parameters[tiles[tile].parameter];
        u64 start = tiles[tile].start, end = parameter.length < start + TILE ? parameter.length : start + TILE;
        double sum = 0.0;
        for (u64 i = start + threadIdx.x; i < end; i += THREADS) {
            double value = (double)parameter.gradient[i];
            sum += value * value;
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) partial[tile] = sum;
    }
}

// The variance rectification r of RAdam at step t, or 0 while the variance is unknown.
__device__ inline double rectification(double t) {
    double longest = 2.0 / (1.0 - BETA2) - 1.0, power = pow(BETA2, t);
    double length = longest - 2.0 * t * power / (1.0 - power);
    if (!(length > 5.0)) return 0.0;
    return sqrt((length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length));
}

// The arithmetic of the next update. kind: 0 RAdam, 1 AdamW, 2 SGD.
__device__ inline void make_rule(Control* control, u32 kind, double rate, double momentum, double weight_decay) {
    double t = (double)control->updates;
    if (kind == 2) {
        control->rule = RULE_SGD;
        control->decay = (float)weight_decay;
        control->beta1 = (float)momentum;
        control->rate = (float)rate;
        return;
    }
    double bias1 = 1.0 - pow(momentum, t), bias2 = 1.0 - pow(BETA2, t), r = rectification(t);
    control->rule = RULE_ADAM;
    control->decay = (float)(rate * weight_decay);
    control->beta1 = (float)(1.0 - momentum);
    if (kind == 1) {
        control->rate = (float)(rate / bias1);
        control->root_scale = (float)(1.0 / sqrt(bias2));
    } else if (r > 0.0) {
        control->rate = (float)(rate / bias1 * r * sqrt(bias2));
        control->root_scale = 1.0f;
    } else {
        control->rule = RULE_MOMENTUM;
        control->rate = (float)(rate / bias1);
        control->root_scale = (float)(1.0 / sqrt(bias2));
    }
}

// Whether the step's numbers can be used. In f16 one that cannot is skipped and the scale halved; otherwise the run has failed.
__device__ inline bool usable(Control* control, double loss, double norm, u32 scaling) {
    bool good = is_finite(loss) && is_finite(norm);
    if (good && scaling && ++control->calm >= CALM_STEPS) {
        control->calm = 0;
        if (control->loss_scale < LARGEST_SCALE) control->loss_scale *= 2.0f;
    }
    if (good) return true;
    bool helps = scaling && control->loss_scale > SMALLEST_SCALE;
    if (helps) {
        control->loss_scale *= 0.5f;
        control->calm = 0;
        control->skipped += 1;
    } else {
        control->failed = is_finite(loss) ? GRADIENT_FAILED : LOSS_FAILED;
    }
    return false;
}

// Launch: one block of THREADS. Ends a step: norm, clipping (none if clip is 0), rule, counts. rates: learning rate and momentum of the
// steps to come, from control->position on. scaling is 1 for f16. After a failure nothing changes any more: control->step is then the
// number of whole steps before it.
KERNEL step_finish(const double* partial, u32 count, const double* rates, double clip, double weight_decay, u32 kind, u32 scaling,
                   Control* control, Tally* tally) {
    double sum = 0.0;
    for (u32 i = threadIdx.x; i < count; i += THREADS) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x != 0) return;
    control->apply = 0;
    if (control->failed) return;
    double scale = (double)control->loss_scale, norm = sqrt(sum) / scale, loss = control->step_loss;
    if (usable(control, loss, norm, scaling)) {
        double rate = rates[2 * control->position], momentum = rates[2 * control->position + 1];
        double clipped = clip > 0.0 ? clip / (norm + 1e-6) : 1.0;
        control->updates += 1;
        control->scale = (float)((clipped < 1.0 ? clipped : 1.0) / scale);
        control->apply = 1;
        make_rule(control, kind, rate, momentum, weight_decay);
        tally->loss += loss;
        tally->gradient_norm += norm;
        tally->correct += control->step_correct;
        tally->images += control->step_images;
        tally->steps += 1;
        tally->last_loss = loss / (double)control->step_images;
        tally->last_norm = norm;
    } else if (control->failed) {
        return;
    }
    control->step_loss = 0.0;
    control->step_correct = 0;
    control->step_images = 0;
    control->step += 1;
    control->position += 1;
}

// Launch: [count], THREADS. Updates the f32 weights and their stored copies.
KERNEL optimizer_step(const Parameter* parameters, const Tile* tiles, u32 count, const Control* control) {
    if (!control->apply) return;
    u32 rule = control->rule;
    float scale = control->scale, beta1 = control->beta1, rate = control->rate, root_scale = control->root_scale;
    for (u32 tile = blockIdx.x; tile < count; tile += gridDim.x) {
        Parameter parameter = parameters[tiles[tile].parameter];
        float decay = parameter.flags & DECAYED ? control->decay : 0.0f;
        u64 start = tiles[tile].start, end = parameter.length < start + TILE ? parameter.length : start + TILE;
        for (u64 i = start + threadIdx.x; i < end; i += THREADS) {
            float p = parameter.weight[i], g = parameter.gradient[i] * scale, m = parameter.first[i];
            if (rule == RULE_SGD) {
                m = m * beta1 + (g + p * decay);
                p -= rate * m;
            } else {
                float v = parameter.second[i];
                // as small changes: 0.999 in 32 bits is off by 1e-8, which would add up over the steps
                m += (g - m) * beta1;
                v += (g * g - v) * (float)(1.0 - BETA2);
                parameter.second[i] = v;
                // decay and step in one subtraction: the weight is rounded once
                p -= p * decay + (rule == RULE_ADAM ? rate * m / (sqrtf(v) * root_scale + (float)EPSILON) : rate * m);
            }
            parameter.first[i] = m;
            parameter.weight[i] = p;
            if (parameter.copy) parameter.copy[i] = store(p);
        }
    }
}

// Launch: each(n). The gradients of the parts of a batch, added up; `first` is 1 for the first part.
KERNEL accumulate(const Store* from, const float* from32, u64 n, u32 first, float* to) {
    for (u64 i = first_of_grid(); i < n; i += all_of_grid()) {
        float value = from32 ? from32[i] : load(from[i]);
        to[i] = first ? value : to[i] + value;
    }
}
