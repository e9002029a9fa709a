//! Time of each block of the seed network, forward and backward, on every step of the ladder:
//! `cargo bench --bench engine`, or `cargo bench --bench engine -- 256 8 amx-bf16` for pictures of 256 x 256 in batches of 8 on one step.

use std::time::Instant;

use tuning_fork::nn::ops::engine::{Grid, ReluPool, ReluPoolGradients, Step};

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (size, batch) = (arguments.first().copied().unwrap_or(64), arguments.get(1).copied().unwrap_or(32));
    let channels = [3, 32, 64, 128, 256, 512, 1024];
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("the first pool");
    let named: Vec<Step> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    for step in Step::ALL.into_iter().filter(|s| s.available() && (named.is_empty() || named.contains(s))) {
        println!("{step}: ms forward, backward, GFLOP/s");
        let mut totals = [0.0; 2];
        let mut side = size;
        for (i, pair) in channels.windows(2).enumerate() {
            let grid = Grid { images: batch, height: side, width: side, channels: pair[0] };
            side /= 2;
            let outputs = pair[1];
            let x: Vec<f32> = (0..grid.len()).map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect();
            let weights: Vec<f32> = (0..9 * pair[0] * outputs).map(|i| (i * 7907 % 1000) as f32 / 1000.0 - 0.5).collect();
            let bias = vec![0.1; outputs];
            let pooled = grid.pooled().with_channels(outputs);
            let (mut out, mut codes) = (vec![0.0; pooled.len()], vec![0; pooled.len()]);
            let (mut dx, mut dw, mut db) = (vec![0.0; grid.len()], vec![0.0; weights.len()], vec![0.0; outputs]);
            let mut block = ReluPool::default();
            let mut best = [f64::MAX; 2];
            for _ in 0..7 {
                let start = Instant::now();
                block.forward(step, grid, &x, &weights, &bias, &mut out, &mut codes);
                best[0] = best[0].min(start.elapsed().as_secs_f64());
                let start = Instant::now();
                let input = if i == 0 { None } else { Some(&mut dx[..]) };
                block.backward(step, grid, &x, &weights, &out, &codes, ReluPoolGradients { input, weights: &mut dw, bias: &mut db });
                best[1] = best[1].min(start.elapsed().as_secs_f64());
            }
            let flops = 2.0 * 9.0 * (grid.len() * outputs) as f64 / 1e9;
            let times = if i == 0 { 1.0 } else { 2.0 };
            println!("  {grid:?} {:8.2} {:8.2}   {:6.0} {:6.0}", best[0] * 1e3, best[1] * 1e3, flops / best[0], times * flops / best[1]);
            totals[0] += best[0];
            totals[1] += best[1];
        }
        println!("  total {:.2} {:.2} = {:.2} ms", totals[0] * 1e3, totals[1] * 1e3, (totals[0] + totals[1]) * 1e3);
    }
}
