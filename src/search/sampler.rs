//! How the values of the next trial are chosen.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cmaes::{self, CmaEs};
use super::configure::{Param, Params};
use super::tpe::Divided;
use super::{Distribution, Parameter, Space, StudyRecord};
use crate::random::{Purpose, Random};

/// How the values of the next trial are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Each trial by itself, uniformly.
    Random,
    /// By a model of what the good trials have in common (multivariate TPE).
    #[default]
    Tpe,
    /// By a cloud of points that moves to the good ones (CMA-ES); choices, and what waits for a choice, by TPE.
    #[serde(rename = "cmaes")]
    CmaEs,
}

/// The next trial, as a sampler wants it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// Its values.
    pub params: Params,
    /// What the sampler wants to find among the trial's notes when it looks back on it.
    pub notes: Vec<(String, Value)>,
}

impl Sampler {
    /// The values of the next trial of `study`, without the notes that belong to them.
    #[must_use]
    pub fn sample(self, space: &Space, study: &StudyRecord, seed: u64) -> Params {
        self.propose(space, study, seed).params
    }

    /// The next trial of `study`. The same study and seed give the same one.
    #[must_use]
    pub fn propose(self, space: &Space, study: &StudyRecord, seed: u64) -> Proposal {
        let mut random = Random::new(seed, Purpose::Search, &[study.trials.len() as u64]);
        let Proposal { params, notes } = match self {
            Self::CmaEs => draw_from_cloud(space, study, seed, &mut random),
            Self::Random | Self::Tpe => Proposal::default(),
        };
        Proposal { params: self.draw(space, study, params, random), notes }
    }

    /// The values of the trial `number` of `study`, which was queued and has some already.
    #[must_use]
    pub(super) fn complete(self, space: &Space, study: &StudyRecord, number: usize, params: Params, seed: u64) -> Params {
        self.draw(space, study, params, Random::new(seed, Purpose::Search, &[number as u64, 1]))
    }

    /// The values that are not there yet.
    fn draw(self, space: &Space, study: &StudyRecord, mut params: Params, mut random: Random) -> Params {
        let divided = match self {
            Self::Random => None,
            Self::Tpe | Self::CmaEs => Divided::new(&study.trials, study.direction),
        };
        if let Some(divided) = &divided {
            draw_together(divided, space, study, &mut params, &mut random);
        }
        for parameter in space.parameters() {
            let active = parameter.when.as_ref().is_none_or(|when| when.holds(&params));
            if !active || params.contains_key(&parameter.name) {
                continue;
            }
            let distribution = &parameter.distribution;
            let internal = match &divided {
                Some(divided) if !distribution.is_single() => divided.draw(&[(&parameter.name, distribution)], &mut random)[0],
                _ => distribution.uniform(&mut random),
            };
            insert(&mut params, parameter, internal);
        }
        params
    }
}

/// Draws the numbers that every trial has by CMA-ES.
fn draw_from_cloud(space: &Space, study: &StudyRecord, seed: u64, random: &mut Random) -> Proposal {
    let Some(cloud) = CmaEs::new(space, study, seed) else { return Proposal::default() };
    let mut params = Params::new();
    for (parameter, internal) in cloud.draw(random) {
        insert(&mut params, parameter, internal);
    }
    Proposal { params, notes: vec![(cmaes::GENERATION.into(), cloud.generation().into())] }
}

/// Draws, with regard to each other, the parameters that every trial has and that are not drawn yet.
fn draw_together(divided: &Divided, space: &Space, study: &StudyRecord, params: &mut Params, random: &mut Random) {
    let in_all = |parameter: &&Parameter| {
        let has = |trial: &super::Trial| {
            trial.params.get(&parameter.name).is_some_and(|param| param.distribution.is_compatible(&parameter.distribution))
        };
        let free = parameter.when.is_none() && !parameter.distribution.is_single() && !params.contains_key(&parameter.name);
        free && study.trials.iter().filter(|t| t.is_evidence()).all(has)
    };
    let together: Vec<&Parameter> = space.parameters().iter().filter(in_all).collect();
    if together.is_empty() {
        return;
    }
    let list: Vec<(&str, &Distribution)> = together.iter().map(|p| (p.name.as_str(), &p.distribution)).collect();
    for (parameter, internal) in together.iter().zip(divided.draw(&list, random)) {
        insert(params, parameter, internal);
    }
}

fn insert(params: &mut Params, parameter: &Parameter, internal: f64) {
    params.insert(parameter.name.clone(), Param { internal, distribution: Arc::new(parameter.distribution.clone()) });
}

#[cfg(test)]
mod tests;
