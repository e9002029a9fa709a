//! The mirror in MLflow as the window works with it.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, unbounded};

use crate::review;
use crate::track::mlflow::{self, DrawMaps, EXPERIMENT, Handle, PATIENCE, Settings, Target, Told};

/// What is known of the mirror.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    /// Where it goes, while it is on.
    pub target: Option<Target>,
    /// How it stands, in words; an error if it is not well.
    pub state: Option<Result<String, String>>,
    /// What there is to say of it besides, above all what is left out.
    pub remarks: Vec<String>,
}

impl Mirror {
    /// Takes in what the mirror told.
    pub fn take(&mut self, told: Told) {
        match told {
            Told::UpToDate { runs, .. } => self.state = Some(Ok(format!("up to date, {runs} runs"))),
            Told::Remarks(remarks) => self.remarks = remarks,
            Told::Away(words) => self.state = Some(Err(words)),
            Told::Off(words) => {
                self.target = None;
                self.state = Some(Err(words));
            }
        }
    }
}

/// The mirror's thread, and what it tells.
pub struct Mirroring {
    _handle: Handle,
    told: Receiver<Told>,
}

impl Mirroring {
    /// Starts to mirror the runs in `runs`; `context` is woken by what is told.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(runs: PathBuf, target: Target, context: egui::Context) -> std::io::Result<Self> {
        let (sender, told) = unbounded();
        let (experiment, draw_maps) = (EXPERIMENT.into(), Some(review::draw_maps as DrawMaps));
        let settings = Settings { runs, target, experiment, rebuild: false, patience: PATIENCE, draw_maps };
        let mut last = None;
        let tell = move |told: Told| {
            // every two seconds it is up to date again
            if last.as_ref() != Some(&told) && sender.send(told.clone()).is_ok() {
                context.request_repaint();
            }
            last = Some(told);
        };
        Ok(Self { _handle: mlflow::spawn(settings, tell)?, told })
    }

    /// What was told since.
    pub fn told(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }
}
