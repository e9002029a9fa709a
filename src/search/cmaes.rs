//! CMA-ES as a sampler: the numbers that every trial has are drawn from a cloud ([`Evolution`]) that the trials before moved.
//!
//! The cloud is a function of the trials: each says which generation it was drawn for (`cma:generation`, as Optuna's `CmaEsSampler`
//! writes it), and once enough of a generation ended, the next one begins. So a study goes on from its journal, in any process, and
//! Optuna's trials of the same study count like ours. A pruned trial counts as worse than a complete one, and as better the farther
//! it came: only the order matters to the method. Choices, and what waits for a choice, are no numbers; others draw them.

use super::distribution::Axis;
use super::evolution::Evolution;
use super::{Parameter, Space, StudyRecord, Trial, tpe};
use crate::random::{Purpose, Random};

/// The note of a trial that says which generation it was drawn for.
pub(super) const GENERATION: &str = "cma:generation";

/// The cloud that the next trial is drawn from.
pub(super) struct CmaEs<'a> {
    dimensions: Vec<(&'a Parameter, Axis)>,
    cloud: Evolution,
    generation: usize,
}

impl<'a> CmaEs<'a> {
    /// The cloud after the trials of a study; `None` if the space has no numbers that every trial has.
    pub fn new(space: &'a Space, study: &StudyRecord, seed: u64) -> Option<Self> {
        let free = space.parameters().iter().filter(|p| p.when.is_none() && !p.distribution.is_single());
        let dimensions: Vec<_> = free.filter_map(|p| Some((p, p.distribution.axis()?))).collect();
        if dimensions.is_empty() {
            return None;
        }
        let cloud = Evolution::new(dimensions.len());
        let mut this = Self { dimensions, cloud, generation: 0 };
        let mut restarts = 0;
        loop {
            let mut ended = this.ended(study);
            let points = this.cloud.points();
            if ended.len() < points {
                return Some(this);
            }
            // what ends later, of workers that were slow, finds its generation full
            ended.truncate(points);
            ended.sort_by(|(a, _), (b, _)| tpe::compare(a, b, study.direction));
            this.cloud.tell(&ended.iter().map(|(_, point)| point.as_slice()).collect::<Vec<_>>());
            this.generation += 1;
            if this.cloud.is_spent() {
                restarts += 1;
                // no trial has so high a number
                this.cloud = this.cloud.restarted(&mut Random::new(seed, Purpose::Search, &[u64::MAX, restarts]));
            }
        }
    }

    /// The trials of this generation that ended, in the order in which they did, and where they lie.
    fn ended<'b>(&self, study: &'b StudyRecord) -> Vec<(&'b Trial, Vec<f64>)> {
        let of_this =
            |trial: &&Trial| trial.system_attrs.get(GENERATION).and_then(serde_json::Value::as_u64) == Some(self.generation as u64);
        let here = study.trials.iter().filter(of_this).filter(|trial| trial.is_evidence());
        let mut ended: Vec<_> = here.filter_map(|trial| Some((trial, self.place(trial)?))).collect();
        ended.sort_by(|(a, _), (b, _)| a.ended.cmp(&b.ended));
        ended
    }

    /// Where a trial lies in the cube; `None` if it lacks a number or has another kind of it.
    fn place(&self, trial: &Trial) -> Option<Vec<f64>> {
        let one = |(parameter, axis): &(&Parameter, Axis)| {
            let param = trial.params.get(&parameter.name)?;
            let (low, high) = axis.ends();
            let fits = param.distribution.is_compatible(&parameter.distribution) && parameter.distribution.contains(param.internal);
            fits.then(|| (axis.forth(param.internal) - low) / (high - low))
        };
        self.dimensions.iter().map(one).collect()
    }

    /// The generation of the next trial.
    pub fn generation(&self) -> usize {
        self.generation
    }

    /// The next trial's numbers, each with its parameter.
    pub fn draw(&self, random: &mut Random) -> Vec<(&'a Parameter, f64)> {
        let point = self.cloud.draw(random);
        let number = |((parameter, axis), x): (&(&'a Parameter, Axis), f64)| {
            let (low, high) = axis.ends();
            (*parameter, axis.back(low + x * (high - low)))
        };
        self.dimensions.iter().zip(point).map(number).collect()
    }
}
