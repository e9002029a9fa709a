//! A run looked back on: its record, everything that can be read off its probabilities, tables, plots and one page that
//! holds all of it. Reads run folders; knows no window and no tensors. Plots are SVG, tables CSV.

mod analysis;
mod answers;
mod familiarity;
mod maps;
mod page;
pub mod plot;
mod record;
mod report;
pub mod table;
mod temperature;

pub use analysis::{Analysis, BINS};
pub use answers::{answered_epochs, answers};
pub use familiarity::{FAMILIARITY, Kept, kept_familiarity, measure_familiarity, other_data, run_of};
pub use maps::{draw_maps, store_maps};
pub use record::{Record, ReviewError};
pub use report::{Subject, report};
pub use table::Table;
pub use temperature::store_temperature;
