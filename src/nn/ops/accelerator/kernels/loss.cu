// Class-balanced focal loss with label smoothing and mixed labels: train/loss.rs number for number, in f64.

__device__ inline double logit(const Store* stored, const float* plain, u64 at) { return plain ? (double)plain[at] : (double)load(stored[at]); }

// One image's logits: the first of the largest, its value, and log(sum(exp(z - max))).
struct Row {
    const Store* stored;
    const float* plain;
    u64 at;
    u32 classes, top;
    double max, log_sum;

    __device__ double z(u32 class_) const { return logit(stored, plain, at + class_); }
    __device__ double log_p(u32 class_) const { return z(class_) - max - log_sum; }
};

__device__ inline Row row_of(const Store* stored, const float* plain, u64 image, u32 classes) {
    Row row = {stored, plain, image * classes, classes, 0, 0.0, 0.0};
    row.max = row.z(0);
    for (u32 c = 1; c < classes; c++) {
        double z = row.z(c);
        if (z > row.max) {
            row.max = z;
            row.top = c;
        }
    }
    // log(1 + rest), not log(sum): for p -> 1 this keeps the digits that (1 - p) is made of
    double rest = 0.0;
    for (u32 c = 0; c < classes; c++) {
        if (c != row.top) rest += exp(row.z(c) - row.max);
    }
    row.log_sum = log1p(rest);
    return row;
}

// -(1 - p)^gamma log p and its derivative with respect to log p = l <= 0.
__device__ inline double focal(double l, double gamma, double* slope) {
    double q = -expm1(l), modulation = pow(q, gamma);
    double ratio = q == 0.0 ? -1.0 : l / q;
    *slope = modulation * (gamma * exp(l) * ratio - 1.0);
    return -modulation * l;
}

struct FocalLoss {
    const double* weights;
    double gamma, smoothing;

    __device__ double target(u32 class_, u32 label, u32 classes) const {
        double spread = smoothing / (double)classes;
        return class_ == label ? 1.0 - smoothing + spread : spread;
    }

    // The loss of an image for one label, and the sum of its slopes.
    __device__ double value(const Row& row, u32 label, double part, double* slopes) const {
        double loss = 0.0;
        *slopes = 0.0;
        for (u32 c = 0; c < row.classes; c++) {
            double t = target(c, label, row.classes), slope;
            if (t > 0.0) {
                loss += t * focal(row.log_p(c), gamma, &slope);
                *slopes += t * slope;
            }
        }
        return part * weights[label] * loss;
    }

    // Its derivative with respect to a logit: d log p_c / d z_j = [c = j] - p_j.
    __device__ double derivative(const Row& row, u32 label, double part, double slopes, u32 class_) const {
        double t = target(class_, label, row.classes), l = row.log_p(class_), slope = 0.0;
        if (t > 0.0) focal(l, gamma, &slope);
        return part * weights[label] * ((t > 0.0 ? t * slope : 0.0) - exp(l) * slopes);
    }
};

// Launch: one block of THREADS. n images, mixed with those of `partners`, or where that is null each with the one before it, the first with
// the last. The gradient is that of the sum of losses divided by `divisor` (the images of the whole step), times the loss scale. Without
// `control` nothing is counted.
KERNEL focal_loss(const Store* logits, const float* logits32, const u32* targets, const Mixing* mixing, const u32* partners,
                  const double* weights, double gamma, double smoothing, u32 n, u32 divisor, u32 classes, Control* control, Store* gradient,
                  float* gradient32, double* losses, u32* predicted) {
    FocalLoss focal_loss = {weights, gamma, smoothing};
    bool mixed = mixing && mixing->kind;
    double share = mixed ? mixing->label_share : 1.0, scale = control ? (double)control->loss_scale : 1.0;
    double sum = 0.0, correct = 0.0;
    for (u32 i = threadIdx.x; i < n; i += THREADS) {
        u32 label = targets[i], partner = partners ? partners[i] : targets[(i + n - 1) % n];
        Row row = row_of(logits, logits32, i, classes);
        double slopes, partner_slopes = 0.0;
        double loss = focal_loss.value(row, label, share, &slopes);
        if (mixed) loss += focal_loss.value(row, partner, 1.0 - share, &partner_slopes);
        sum += loss;
        // of a mixed picture, the label that counts more is the right one
        correct += row.top == (mixed && share < 0.5 ? partner : label) ? 1.0 : 0.0;
        if (losses) losses[i] = loss;
        if (predicted) predicted[i] = row.top;
        for (u32 c = 0; (gradient || gradient32) && c < classes; c++) {
            double d = focal_loss.derivative(row, label, share, slopes, c);
            if (mixed) d += focal_loss.derivative(row, partner, 1.0 - share, partner_slopes, c);
            float of_mean = (float)(d / (double)divisor * scale);
            if (gradient) gradient[(u64)i * classes + c] = store(of_mean);
            if (gradient32) gradient32[(u64)i * classes + c] = of_mean;
        }
    }
    sum = block_sum(sum);
    correct = block_sum(correct);
    if (threadIdx.x == 0 && control) {
        control->step_loss += sum;
        control->step_correct += (u64)correct;
        control->step_images += n;
    }
}
