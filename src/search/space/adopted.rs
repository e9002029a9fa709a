//! The space of a study that another program began, from what its trials had.

use super::super::{StudyRecord, configure};
use super::{Parameter, Space};

impl Space {
    /// The parameters of a study's trials that are fields of a configuration, each over what its latest trial drew it from; `None` if there
    /// is none. What a parameter waits for, trials do not tell.
    #[must_use]
    pub fn of_trials(study: &StudyRecord) -> Option<Self> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for (name, param) in study.trials.iter().rev().flat_map(|trial| &trial.params) {
            if configure::field(name).is_ok() && parameters.iter().all(|known| known.name != *name) {
                parameters.push(Parameter { name: name.clone(), distribution: (*param.distribution).clone(), when: None });
            }
        }
        if parameters.is_empty() { None } else { Self::new(parameters).ok() }
    }
}
