//! Runs that repeat each other but for the seed, and whether two groups of them differ by more than chance.

use super::{Column, RunFacts, RunState, Value};
use crate::metrics::student_t_975;

/// Runs of one configuration, data set and split that differ in their seed alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their places in the list, in its order.
    pub members: Vec<usize>,
    /// The mean of the values of those that have one.
    pub mean: f64,
    /// Their sample standard deviation; `None` for fewer than two.
    pub deviation: Option<f64>,
    /// How many have a value.
    pub count: usize,
}

/// What two groups' difference is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The mean of the first less the mean of the second.
    pub difference: f64,
    /// Half the width of the 95 % interval of that difference.
    pub half_width: f64,
    /// Whether the spread is that of repeated seeds; otherwise only that of the validation images is known, which says too little.
    pub repeated: bool,
}

impl Verdict {
    /// Whether chance explains it.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        self.difference.abs() <= self.half_width
    }
}

/// What two runs have in common if only their seeds differ. Where it runs is no part of what a run is.
fn recipe(run: &RunFacts) -> String {
    let values = run.parameters.iter().filter(|(name, _)| !["seed", "threads", "device"].contains(&name.as_str()));
    let values: Vec<String> = values.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {} {}", run.split_digest, run.data_digest, values.join(" "))
}

/// The groups of a list of runs, in the order of their first members, with the values of a column. A run that did not come to its end,
/// or has a seed that its group has already, repeats nothing: it stands alone.
#[must_use]
pub fn groups(runs: &[&RunFacts], column: &Column) -> Vec<Group> {
    let mut order: Vec<(String, Vec<usize>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut seeds = std::collections::HashSet::new();
    for (place, run) in runs.iter().enumerate() {
        let mut recipe = recipe(run);
        let seed = run.parameters.get("seed").map(ToString::to_string);
        if run.state != RunState::Completed || !seeds.insert((recipe.clone(), seed)) {
            // no recipe has a folder
            recipe = format!("{} {recipe}", run.folder);
        }
        let group = *places.entry(recipe.clone()).or_insert_with(|| {
            order.push((recipe, Vec::new()));
            order.len() - 1
        });
        order[group].1.push(place);
    }
    order.into_iter().map(|(_, members)| group(runs, members, column)).collect()
}

fn group(runs: &[&RunFacts], members: Vec<usize>, column: &Column) -> Group {
    let value = |&place: &usize| match column.value(runs[place]) {
        Value::Number(value) => Some(value),
        _ => None,
    };
    let values: Vec<f64> = members.iter().filter_map(value).collect();
    Group::of(&values, members)
}

impl Group {
    /// The mean and spread of the values of some runs.
    #[must_use]
    pub fn of(values: &[f64], members: Vec<usize>) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Self { members, mean, deviation, count }
    }
}

/// What the difference of two groups is worth: by Welch's t test (Welch 1947) if both have two runs or more; otherwise by the
/// spread that shares of `images` validation images have by themselves, which knows nothing of the seeds. `None` if a group has
/// no value, or for single runs without images.
#[must_use]
pub fn verdict(a: &Group, b: &Group, images: usize) -> Option<Verdict> {
    if a.count == 0 || b.count == 0 {
        return None;
    }
    let difference = a.mean - b.mean;
    if let (Some(sa), Some(sb)) = (a.deviation, b.deviation) {
        let (na, nb) = (a.count as f64, b.count as f64);
        let (va, vb) = (sa * sa / na, sb * sb / nb);
        let freedom = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
        let half_width = if va + vb > 0.0 { student_t_975(freedom) * (va + vb).sqrt() } else { 0.0 };
        return Some(Verdict { difference, half_width, repeated: true });
    }
    if images == 0 {
        return None;
    }
    let spread = |share: f64| share.clamp(0.0, 1.0) * (1.0 - share.clamp(0.0, 1.0)) / images as f64;
    let half_width = 1.96 * (spread(a.mean) + spread(b.mean)).sqrt();
    Some(Verdict { difference, half_width, repeated: false })
}
