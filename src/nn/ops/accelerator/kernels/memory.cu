// Numbers from one type or layout to another.

// Launch: each(n).
KERNEL to_store(const float* from, u64 n, Store* to) {
    for (u64 i = first_of_grid(); i < n; i += all_of_grid()) to[i] = store(from[i]);
}

// Launch: each(n).
KERNEL from_store(const Store* from, u64 n, float* to) {
    for (u64 i = first_of_grid(); i < n; i += all_of_grid()) to[i] = load(from[i]);
}

// The two types as one, so that a transposition is written once.
template <typename To> struct As;
template <> struct As<float> {
    __device__ static float from(float value) { return value; }
};
#if STORAGE != 0
template <> struct As<Store> {
    __device__ static Store from(float value) { return store(value); }
};
__device__ inline float load(float value) { return value; }
#endif

// Turns batch matrices of rows x columns into columns x rows, 32 x 32 numbers at a time, so that both sides are read in lines.
template <typename From, typename To> __device__ void transposed(const From* from, u32 rows, u32 columns, To* to) {
    __shared__ float part[32][33];
    u64 matrix = (u64)blockIdx.z * rows * columns;
    u32 left = 32 * blockIdx.x, top = 32 * blockIdx.y;
    for (u32 y = threadIdx.y; y < 32; y += 8) {
        u32 row = top + y, column = left + threadIdx.x;
        if (row < rows && column < columns) part[y][threadIdx.x] = load(from[matrix + (u64)row * columns + column]);
    }
    __syncthreads();
    for (u32 x = threadIdx.y; x < 32; x += 8) {
        u32 row = top + threadIdx.x, column = left + x;
        if (row < rows && column < columns) to[matrix + (u64)column * rows + row] = As<To>::from(part[threadIdx.x][x]);
    }
}

// Launch: [ceil(columns / 32), ceil(rows / 32), batch], [32, 8]. N x C x H x W to N x H x W x C is rows = C, columns = H * W;
// weights of 3 x 3 x inputs x outputs to outputs x 3 x 3 x inputs are rows = 9 * inputs, columns = outputs. Into the storage type.
KERNEL transpose_to_store(const float* from, u32 rows, u32 columns, Store* to) { transposed(from, rows, columns, to); }
// The same, out of the storage type.
KERNEL transpose_from_store(const Store* from, u32 rows, u32 columns, float* to) { transposed(from, rows, columns, to); }
// The same within the storage type.
KERNEL transpose_store(const Store* from, u32 rows, u32 columns, Store* to) { transposed(from, rows, columns, to); }
