//! The loop: epochs of steps, validation, checkpoints, and what to do between two batches.

use std::time::{Duration, Instant};

use candle_core::Device;
use crossbeam_channel::{Receiver, TryRecvError};

use super::accelerated;
use super::batches::{self, Batch, Loader, Request};
use super::checkpoint::{self, Best, EpochSums};
use super::recorder::Recorder;
use super::setup::{self, Setup, State};
use super::validate::{Answers, Pass};
use super::{
    BestBy, Command, EpochReport, Event, Job, Outcome, Paused, RunFolder, Saved, Steps, TrainError, Update, clip_scale, gradient_norm,
};
use crate::data::Part;
use crate::nn::{Mode, ModelSpec, weights};

/// How a run ended that did not fail.
pub(super) struct Conclusion {
    pub outcome: Outcome,
    pub message: String,
    pub best_epoch: Option<usize>,
    pub seconds: f64,
}

/// Runs a job to its end. Called inside the run's own compute threads.
pub(super) fn run(job: &Job, commands: &Receiver<Command>, recorder: &mut Recorder) -> Result<Conclusion, TrainError> {
    let (setup, mut state, started) = setup::prepare(job)?;
    recorder.open_log(&setup.folder)?;
    recorder.tell(Event::Started(started));
    setup::record_data(job)?;
    let mut control = Control { commands, recorder, setup: &setup, paused: Duration::ZERO };
    while state.progress.epochs < setup.config.epochs && !state.progress.stopped_early {
        let resumed = state.progress.step_in_epoch > 0;
        state.meter.begin(if resumed { state.progress.sums.energy } else { Some(0.0) });
        let go_on = match state.accelerated {
            Some(_) => accelerated::train_epoch(&setup, &mut state, &mut control)?,
            None => train_epoch(&setup, &mut state, &mut control)?,
        };
        if !go_on {
            return Ok(stopped(&state, &mut control));
        }
        let (start, pauses, energy) = (Instant::now(), control.paused, state.meter.joules());
        let Some(answers) = validate(&setup, &mut state, &mut control)? else {
            // the validation is done again when the run goes on, and so is what it takes
            state.meter.begin(energy);
            return Ok(stopped(&state, &mut control));
        };
        let validating = (start.elapsed() + pauses).saturating_sub(control.paused).as_secs_f64();
        end_epoch(&setup, &mut state, &mut control, &answers, validating)?;
    }
    Ok(completed(&setup, &state))
}

/// What the loop has to do with the world outside: commands in, events and files out.
pub(super) struct Control<'a> {
    commands: &'a Receiver<Command>,
    recorder: &'a mut Recorder,
    setup: &'a Setup,
    /// Time spent holding, so far.
    paused: Duration,
}

impl Control<'_> {
    /// Obeys the commands that wait; false if the run should end. Returns from a pause only once it is over.
    pub fn go_on(&mut self, state: &State) -> bool {
        while let Some(command) = self.poll() {
            if command == Command::Stop || !self.hold(state) {
                return false;
            }
        }
        true
    }

    /// The command that waits, if there is one: to pause, or to stop.
    pub fn poll(&self) -> Option<Command> {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Resume) => {}
                Ok(command) => return Some(command),
                Err(TryRecvError::Disconnected) => return Some(Command::Stop),
                Err(TryRecvError::Empty) => return None,
            }
        }
    }

    /// Tells the listener.
    pub fn tell(&mut self, event: Event) {
        self.recorder.tell(event);
    }

    /// Saves, then waits until told to go on (true) or to stop. What `state` holds must be up to date.
    pub fn hold(&mut self, state: &State) -> bool {
        let start = Instant::now();
        let go_on = self.wait(state);
        self.paused += start.elapsed();
        state.meter.skip();
        go_on
    }

    fn wait(&mut self, state: &State) -> bool {
        self.checkpoint(state);
        let epoch = (state.progress.epochs + 1).min(self.setup.config.epochs);
        self.recorder.tell(Event::Paused(Paused { epoch, step: state.progress.step }));
        loop {
            match self.commands.recv() {
                Ok(Command::Resume) => return true,
                Ok(Command::Pause) => {}
                Ok(Command::Stop) | Err(_) => return false,
            }
        }
    }

    /// Writes `last.safetensors` and tells so, or why not.
    fn checkpoint(&mut self, state: &State) {
        let path = self.setup.folder.last_checkpoint();
        let mut progress = state.progress;
        if progress.step_in_epoch > 0 {
            progress.sums.energy = state.meter.joules();
        }
        let result = checkpoint::save(&path, &*state.network, &state.optimizer, &progress);
        let epoch = state.progress.epochs + usize::from(state.progress.step_in_epoch > 0);
        self.saved(epoch, "last.safetensors", false, result.err());
    }

    fn saved(&mut self, epoch: usize, path: &str, best: bool, error: Option<impl std::fmt::Display>) {
        let error = error.map(|e| format!("{e}; make room on the disk, the run goes on without this file"));
        self.recorder.tell(Event::Saved(Saved { epoch, path: path.into(), best, error }));
    }
}

/// The steps of the present epoch that are still to do; false if the run should end.
fn train_epoch(setup: &Setup, state: &mut State, control: &mut Control) -> Result<bool, TrainError> {
    let epoch = state.progress.epochs + 1;
    let request = Request {
        order: batches::order(&setup.split.train, setup.config.seed, epoch),
        buffers: setup.buffers.clone(),
        skip: state.progress.step_in_epoch,
        variation: Some(setup.variation(epoch)),
        threads: setup.threads,
    };
    let mut loader = Loader::start(&setup.training, request, setup.spec.normalisation)?;
    loop {
        if !control.go_on(state) {
            return Ok(false);
        }
        let start = Instant::now();
        let Some(batch) = loader.next()? else { return Ok(true) };
        let wait = start.elapsed().as_secs_f64();
        let mut steps = step(setup, state, &batch)?;
        steps.seconds = start.elapsed().as_secs_f64();
        steps.wait = wait / steps.seconds.max(f64::MIN_POSITIVE);
        count(state, &steps);
        state.meter.tick();
        control.recorder.tell(Event::Steps(steps));
    }
}

/// One optimiser step. Times are left for the caller to fill in.
fn step(setup: &Setup, state: &mut State, batch: &Batch) -> Result<Steps, TrainError> {
    let State { network, optimizer, schedule, progress, .. } = state;
    let (number, epoch) = (progress.step, progress.epochs + 1);
    let finite =
        |value: f64, what| if value.is_finite() { Ok(value) } else { Err(TrainError::NotFinite { what, step: number + 1, epoch }) };
    let Batch { targets, mixed, .. } = batch;
    let images = batch.images(&Device::Cpu)?;
    let logits = network.forward(&images, Mode::Train { seed: setup.config.seed, step: number as u64 })?;
    let (value, seed) = setup.loss.forward(&logits, targets, mixed.as_ref())?;
    let loss = finite(value.mean(), "training loss")?;
    let gradients = network.backward(&seed)?;
    let gradient_norm = finite(gradient_norm(&gradients, network.parameters())?, "gradient")?;
    let learning_rate = schedule.learning_rate(number);
    let update = Update {
        learning_rate,
        momentum: schedule.momentum(number).unwrap_or(optimizer.momentum()),
        gradient_scale: clip_scale(gradient_norm, setup.config.clip),
    };
    optimizer.step(network.parameters(), &gradients, update)?;
    // of a mixed picture, the label that counts more is the right one
    let labels = mixed.as_ref().filter(|mixed| mixed.share < 0.5).map_or(targets, |mixed| &mixed.partners);
    let correct = value.predicted.iter().zip(labels).filter(|&(&p, &t)| p == t as usize).count();
    progress.sums.correct += correct as u64;
    progress.sums.loss += value.losses.iter().sum::<f64>();
    Ok(Steps {
        epoch,
        step: number + 1,
        step_in_epoch: progress.step_in_epoch + 1,
        count: 1,
        images: targets.len(),
        loss,
        accuracy: correct as f64 / targets.len() as f64,
        learning_rate,
        gradient_norm,
        seconds: 0.0,
        wait: 0.0,
    })
}

/// Moves the position past a step and takes it into the epoch's sums.
fn count(state: &mut State, steps: &Steps) {
    let progress = &mut state.progress;
    progress.step += 1;
    progress.step_in_epoch += 1;
    progress.optimizer_steps = state.optimizer.steps();
    progress.seconds += steps.seconds;
    progress.sums.images += steps.images as u64;
    progress.sums.steps += 1;
    progress.sums.gradient_norm += steps.gradient_norm;
    progress.sums.seconds += steps.seconds;
}

fn validate(setup: &Setup, state: &mut State, control: &mut Control) -> Result<Option<Answers>, TrainError> {
    let mut device = state.accelerated.take();
    let state_now = &*state;
    let pass = Pass {
        network: &*state_now.network,
        loss: &setup.loss,
        cache: &setup.cache,
        normalisation: setup.spec.normalisation,
        buffers: &setup.buffers,
        threads: setup.threads,
    };
    let mut go_on = || {
        state_now.meter.tick();
        control.go_on(state_now)
    };
    let answers = match &mut device {
        Some(device) => device.answers(&pass, &setup.split.valid, &mut go_on),
        None => pass.run(&setup.split.valid, go_on),
    };
    state.accelerated = device;
    answers
}

/// Judges the epoch, tells it, and saves: probabilities, the model if it is the best, the checkpoint, the summary.
fn end_epoch(setup: &Setup, state: &mut State, control: &mut Control, answers: &Answers, validating: f64) -> Result<(), TrainError> {
    let (epoch, config) = (state.progress.epochs + 1, &setup.config);
    if !answers.loss.is_finite() {
        return Err(TrainError::NotFinite { what: "validation loss", step: state.progress.step, epoch });
    }
    let macro_f1 = answers.confusion.scores().macro_average.f1;
    let score = match config.best_by {
        BestBy::MacroF1 => macro_f1,
        BestBy::Loss => -answers.loss,
    };
    let best = state.progress.best.is_none_or(|best| score > best.score);
    let report = report(state, answers, macro_f1, validating, best);

    state.schedule.epoch_ended(answers.loss);
    let progress = &mut state.progress;
    progress.epochs = epoch;
    progress.step_in_epoch = 0;
    progress.sums = EpochSums::default();
    progress.seconds += validating;
    progress.plateau = state.schedule.plateau;
    progress.stopped_early = progress.stopping.epoch_ended(answers.loss, config.patience, config.min_delta);

    // Told before the checkpoint is written: a run killed between the two tells this epoch again, and never misses it.
    control.recorder.tell(Event::Epoch(report));
    if let Err(error) = setup.folder.save_probabilities(Part::Valid, epoch, &answers.to_f16()) {
        control.saved(epoch, "predictions", false, Some(error));
    }
    keep_models(setup, state, control, epoch, best.then_some(score));
    control.checkpoint(state);
    if let Err(error) = control.recorder.save_summary(&setup.folder) {
        control.saved(epoch, "summary.txt", false, Some(error));
    }
    Ok(())
}

/// Saves the model of an epoch that just ended: as the best one, if it has a `best` score, and as one that is kept, if it is its turn.
fn keep_models(setup: &Setup, state: &mut State, control: &mut Control, epoch: usize, best: Option<f64>) {
    let spec = ModelSpec { epoch: Some(epoch), ..setup.spec.clone() };
    if let Some(score) = best {
        let saved = weights::save(setup.folder.best_model(), &*state.network, &spec);
        if saved.is_ok() {
            state.progress.best = Some(Best { epoch, score });
        }
        control.saved(epoch, "best.safetensors", true, saved.err());
    }
    // a run that ends early has its last epoch here, too
    if setup.config.keeps(epoch) || (state.progress.stopped_early && setup.config.snapshots > 0) {
        let saved = setup.folder.save_snapshot(epoch, &*state.network, &spec);
        control.saved(epoch, &RunFolder::snapshot_name(epoch), false, saved.err());
    }
}

fn report(state: &State, answers: &Answers, macro_f1: f64, validating: f64, best: bool) -> EpochReport {
    let sums = &state.progress.sums;
    // where every step was skipped, the network that was validated is all there is
    let trained = sums.images > 0;
    let images = sums.images.max(1) as f64;
    EpochReport {
        epoch: state.progress.epochs + 1,
        train_loss: if trained { sums.loss / images } else { answers.loss },
        train_accuracy: if trained { sums.correct as f64 / images } else { answers.confusion.accuracy() },
        valid_loss: answers.loss,
        valid_accuracy: answers.confusion.accuracy(),
        valid_macro_f1: macro_f1,
        confusion: answers.confusion.clone(),
        learning_rate: state.schedule.learning_rate(state.progress.step.saturating_sub(1)),
        gradient_norm: sums.gradient_norm / sums.steps.max(1) as f64,
        skipped: sums.skipped,
        images_per_s: sums.images as f64 / sums.seconds.max(f64::MIN_POSITIVE),
        seconds: sums.seconds + validating,
        energy: state.meter.joules(),
        best,
    }
}

/// The end of a run that its listener stopped.
fn stopped(state: &State, control: &mut Control) -> Conclusion {
    control.checkpoint(state);
    let progress = &state.progress;
    let message = format!("stopped after {} steps ({} whole epochs); it can be resumed", progress.step, progress.epochs);
    conclude(Outcome::Stopped, message, state)
}

/// The end of a run that got where it wanted.
fn completed(setup: &Setup, state: &State) -> Conclusion {
    let epochs = state.progress.epochs;
    let how = if state.progress.stopped_early {
        format!("stopped early after epoch {epochs}: the validation loss had not fallen for {} epochs", setup.config.patience)
    } else {
        format!("all {epochs} epochs done")
    };
    let message = match (state.progress.best, setup.config.best_by) {
        (None, _) => how,
        (Some(best), BestBy::MacroF1) => format!("{how}; best is epoch {} with a validation macro-F1 of {:.4}", best.epoch, best.score),
        (Some(best), BestBy::Loss) => format!("{how}; best is epoch {} with a validation loss of {:.4}", best.epoch, -best.score),
    };
    conclude(Outcome::Completed, message, state)
}

fn conclude(outcome: Outcome, message: String, state: &State) -> Conclusion {
    Conclusion { outcome, message, best_epoch: state.progress.best.map(|b| b.epoch), seconds: state.progress.seconds }
}
