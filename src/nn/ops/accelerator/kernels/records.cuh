// Records that host and device share; `layout.rs` and `augment/table.rs` write and read the same bytes.

// One parameter of the network.
struct Parameter {
    float* weight;
    Store* copy;            // null: none is kept
    const float* gradient;
    float* first;           // mean gradient, or momentum of SGD
    float* second;          // mean squared gradient; null for SGD
    u64 length;
    u32 flags;              // DECAYED or 0
    u32 unused;
    u64 unused_too;
};

static const u32 DECAYED = 1;
static const u32 TILE = 8192;

// TILE numbers of a parameter, or what is left of them.
struct Tile {
    u32 parameter;
    u32 unused;
    u64 start;
};

// Where the run stands, and this step's arithmetic.
struct Control {
    u64 step;               // steps done in the whole run, skipped ones too
    u64 updates;            // updates of the optimiser
    u64 position;           // the next entry of `rates`
    u64 skipped;            // steps skipped because a gradient in f16 was not finite
    double step_loss;       // sum over this step's images so far
    u64 step_correct;
    u64 step_images;
    float loss_scale;       // 1 unless f16
    u32 calm;               // steps since the scale was changed
    u32 failed;             // 0, LOSS_FAILED or GRADIENT_FAILED: from then on nothing changes
    u32 apply;              // whether optimizer_step does anything
    // the rule of this step, as `Rule` in train/optimizer.rs
    u32 rule;
    float scale;
    float decay;
    float beta1;            // 1 - beta1; momentum for SGD
    float rate;
    float root_scale;
    float unused[8];
};

static const u32 LOSS_FAILED = 1;
static const u32 GRADIENT_FAILED = 2;
static const u32 RULE_ADAM = 0;
static const u32 RULE_MOMENTUM = 1;
static const u32 RULE_SGD = 2;

// Sums since the host last zeroed them, and the last step.
struct Tally {
    double loss;            // sum over images
    double gradient_norm;   // sum over steps
    u64 correct;
    u64 images;
    u64 steps;
    double last_loss;       // mean of the last step
    double last_norm;
    u64 unused;
};

// How the pictures of a batch are mixed: each with the one before it, the first with the last.
struct Mixing {
    double label_share;     // what a picture's own label counts
    u32 kind;               // 0 not at all, 1 blended, 2 pasted
    float share;
    float rest;
    int left, top, right, bottom;
    u32 unused[7];
};

static const u32 BLENDED = 1;
static const u32 PASTED = 2;

// How one picture is read and changed.
struct Picture {
    u64 offset;             // of its first byte in the data
    i64 step_x, step_y;     // how far the place moves from column to column, 32 bits behind the point
    double row_x[2];        // x of a row's first pixel: row_x[0] * row + row_x[1]
    double row_y[2];
    double noise;           // standard deviation, where white is 1; 0 is none
    u64 noise_seed;
    int width;              // of the whole picture
    int left, top, crop_width, crop_height;
    int exact;              // only mirrored and turned by quarters
    int flip, turns;
    int black;              // beyond the edges; else reflected
    int taps;               // of the blur; 0 is none
    int steps;              // colour steps
    int step[4];
    float amount[4];
    float dimming;          // 1 is none
    int erase[4];           // top, left, bottom, right
    u32 unused[6];
};

static_assert(sizeof(Parameter) == 64 && sizeof(Tile) == 16 && sizeof(Control) == 128 && sizeof(Tally) == 64, "as in layout.rs");
static_assert(sizeof(Mixing) == 64 && sizeof(Picture) == 192, "as in augment/table.rs");

// The table of a batch: how it is mixed, then one record a picture.
__device__ inline const Mixing* mixing_of(const void* table) { return (const Mixing*)table; }
__device__ inline const Picture* pictures_of(const void* table) { return (const Picture*)((const Mixing*)table + 1); }
