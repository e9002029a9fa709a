//! The space of a study that another program began, from what its trials had.

use std::collections::BTreeMap;

use super::super::{SearchError, StudyRecord, configure};
use super::{Parameter, Space};

impl Space {
    /// The parameters of a study's trials that are fields of a configuration, each over what its latest trial drew it from; `None` if there
    /// is none. What a parameter waits for, trials do not tell.
    ///
    /// # Errors
    /// If what they were drawn from makes no space.
    pub fn of_trials(study: &StudyRecord) -> Result<Option<Self>, SearchError> {
        let params = study.trials.iter().flat_map(|trial| &trial.params);
        let latest: BTreeMap<_, _> = params.map(|(name, param)| (name, &param.distribution)).collect();
        let known = latest.into_iter().filter(|(name, _)| configure::field(name).is_ok());
        let parameter = |(name, distribution): (&String, &std::sync::Arc<super::Distribution>)| Parameter {
            name: name.clone(),
            distribution: (**distribution).clone(),
            when: None,
        };
        let parameters: Vec<Parameter> = known.map(parameter).collect();
        if parameters.is_empty() { Ok(None) } else { Self::new(parameters).map(Some) }
    }
}
