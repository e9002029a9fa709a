//! An epoch on a device. The host runs ahead of it: losses and counts are read a report late, so that the device never waits for a
//! question.

use std::collections::VecDeque;
use std::time::Instant;

use super::super::batches::{self, Batch, Loader, Request, Variation};
use super::super::run::Control;
use super::super::setup::{Setup, State};
use super::super::{Command, Event, Steps, TrainError};
use super::resident::Set;
use super::{Accelerated, pull};
use crate::augment::{Mix, Table};
use crate::nn::accelerated::{Engine, Progress, Report, TrainBatch};

/// Seconds between two reports, about; a command is obeyed within two of them.
const REPORT_SECONDS: f64 = 0.1;
/// The most steps between two reports.
const MOST_STEPS: usize = 64;

/// A report that was asked for, and what the host knows of its steps.
struct Pending<'a> {
    report: Report<'a>,
    steps: usize,
    /// The learning rate of the last of them.
    learning_rate: f64,
    /// Seconds that the host waited for pictures meanwhile.
    waited: f64,
}

/// Where batches come from.
enum Feed<'a> {
    /// Pictures on the device.
    Resident(&'a mut Set),
    /// Threads of the host.
    Host(Loader),
}

/// What changes in the course of an epoch.
struct Epoch<'a> {
    engine: &'a Engine,
    setup: &'a Setup,
    pending: VecDeque<Pending<'a>>,
    /// Steps that no report was asked for yet.
    steps: usize,
    waited: f64,
    /// When the last steps were told.
    told: Instant,
    interval: usize,
}

/// The steps of the present epoch that are still to do, on the device; false if the run should end. Weights and moments on the processor
/// are then those after the last step.
pub(in crate::train) fn train_epoch(setup: &Setup, state: &mut State, control: &mut Control) -> Result<bool, TrainError> {
    let Some(mut device) = state.accelerated.take() else { return Ok(true) };
    let result = device.train_epoch(setup, state, control);
    state.accelerated = Some(device);
    result
}

impl Accelerated {
    fn train_epoch(&mut self, setup: &Setup, state: &mut State, control: &mut Control) -> Result<bool, TrainError> {
        if !self.bring_pictures(setup, state, control)? {
            return Ok(false);
        }
        self.prepare(setup, state)?;
        let number = state.progress.epochs + 1;
        let order = batches::order(&setup.split.train, setup.config.seed, number);
        let (variation, skip) = (setup.variation(number), state.progress.step_in_epoch);
        let feed = if let Some(set) = &mut self.pictures.training {
            Feed::Resident(set)
        } else {
            let (order, buffers) = (order.clone(), setup.buffers.clone());
            let request = Request { order, buffers, skip, variation: Some(variation), threads: setup.threads };
            Feed::Host(Loader::start(&setup.training, request, setup.spec.normalisation)?)
        };
        let mut epoch = Epoch {
            engine: &self.engine,
            setup,
            pending: VecDeque::new(),
            steps: 0,
            waited: 0.0,
            told: Instant::now(),
            interval: self.interval,
        };
        let go_on = epoch.run(&order, &variation, feed, state, control)?;
        self.interval = epoch.interval;
        Ok(go_on)
    }

    /// Brings the pictures to the device, the first time; false if the run should end.
    fn bring_pictures(&mut self, setup: &Setup, state: &State, control: &mut Control) -> Result<bool, TrainError> {
        if self.pictures.tried {
            return Ok(true);
        }
        let mut go_on = true;
        let mut ask = || {
            go_on = go_on && control.go_on(state);
            go_on
        };
        self.pictures.training = Set::bring(&self.engine, &setup.training, &setup.split.train, &mut ask)?;
        if self.pictures.training.is_some() {
            self.pictures.plain = Set::bring(&self.engine, &setup.cache, &setup.split.valid, &mut ask)?;
        }
        self.pictures.tried = go_on;
        Ok(go_on)
    }

    /// Tells the device where the run stands, and the rates of the steps to come.
    fn prepare(&mut self, setup: &Setup, state: &State) -> Result<(), TrainError> {
        let progress = &state.progress;
        let left = setup.split.train.len().div_ceil(setup.config.batch).saturating_sub(progress.step_in_epoch);
        let rate = |step| [state.schedule.learning_rate(step), state.schedule.momentum(step).unwrap_or(state.optimizer.momentum())];
        let rates: Vec<[f64; 2]> = (progress.step..progress.step + left).map(rate).collect();
        let before = Progress {
            steps: progress.step as u64,
            updates: progress.optimizer_steps,
            loss_scale: progress.loss_scale,
            calm: progress.calm,
            ..Progress::default()
        };
        self.engine.prepare(before, &rates)?;
        Ok(())
    }
}

impl Epoch<'_> {
    fn run(
        &mut self,
        order: &[u32],
        variation: &Variation,
        mut feed: Feed,
        state: &mut State,
        control: &mut Control,
    ) -> Result<bool, TrainError> {
        let skip = state.progress.step_in_epoch;
        for (place, images) in order.chunks(self.setup.config.batch).enumerate().skip(skip) {
            if let Some(command) = control.poll() {
                self.settle(state, control)?;
                if command == Command::Stop || !control.hold(state) {
                    return Ok(false);
                }
                self.told = Instant::now();
            }
            match &mut feed {
                Feed::Resident(set) => self.resident(set, images, place, variation)?,
                Feed::Host(loader) => {
                    let start = Instant::now();
                    let Some(batch) = loader.next()? else { break };
                    self.waited += start.elapsed().as_secs_f64();
                    self.host_batch(&batch)?;
                }
            }
            self.steps += 1;
            if self.steps >= self.interval {
                self.ask(state)?;
                // the report before this one is there, or nearly
                while self.pending.len() > 1 {
                    self.tell(state, control)?;
                }
            }
        }
        self.settle(state, control)?;
        Ok(true)
    }

    /// A step on pictures that are on the device.
    fn resident(&self, set: &mut Set, images: &[u32], place: usize, variation: &Variation) -> Result<(), TrainError> {
        let mixed = set.batch(self.engine, images, place, Some(variation), &self.setup.spec.normalisation)?;
        let targets: Vec<u32> = images.iter().map(|&image| self.setup.training.label(image as usize)).collect();
        self.engine.upload_targets(&targets)?;
        let mixing = if mixed { set.resident().mixing() } else { None };
        Ok(self.engine.train(TrainBatch { images: images.len(), targets: None, mixing })?)
    }

    /// A step on pictures that the host prepared.
    fn host_batch(&self, batch: &Batch) -> Result<(), TrainError> {
        let images = batch.targets.len();
        batch.with_planes(|planes| self.engine.upload_planes(planes, images))??;
        self.engine.upload_targets(&batch.targets)?;
        let header = |share| Table::new(self.setup.config.size, Some(Mix::Blend(share)));
        let mixing = batch.mixed.as_ref().map(|mixed| self.engine.upload_mixing(header(mixed.share).bytes())).transpose()?;
        Ok(self.engine.train(TrainBatch { images, targets: None, mixing })?)
    }

    /// Asks for a report of the steps since the last one.
    fn ask(&mut self, state: &State) -> Result<(), TrainError> {
        let asked: usize = self.pending.iter().map(|pending| pending.steps).sum();
        let last = (state.progress.step + asked + self.steps).saturating_sub(1);
        let learning_rate = state.schedule.learning_rate(last);
        let report = self.engine.report()?;
        self.pending.push_back(Pending { report, steps: self.steps, learning_rate, waited: self.waited });
        (self.steps, self.waited) = (0, 0.0);
        Ok(())
    }

    /// Waits for the oldest report, takes it into the run's sums, and tells it.
    fn tell(&mut self, state: &mut State, control: &mut Control) -> Result<(), TrainError> {
        let Some(Pending { report, steps, learning_rate, waited }) = self.pending.pop_front() else { return Ok(()) };
        let (device, sums) = report()?;
        let epoch = state.progress.epochs + 1;
        let progress = &mut state.progress;
        if let Some(what) = device.failed {
            return Err(TrainError::NotFinite { what, step: device.steps as usize + 1, epoch });
        }
        let seconds = self.told.elapsed().as_secs_f64();
        self.told = Instant::now();
        state.meter.tick();
        (progress.loss_scale, progress.calm) = (device.loss_scale, device.calm);
        let wished = (REPORT_SECONDS / seconds.max(1e-6) * steps as f64) as usize;
        self.interval = wished.clamp(1, (2 * self.interval).min(MOST_STEPS));

        progress.step += steps;
        progress.step_in_epoch += steps;
        progress.optimizer_steps = device.updates;
        progress.seconds += seconds;
        progress.sums.loss += sums.loss;
        progress.sums.correct += sums.correct;
        progress.sums.images += sums.images;
        progress.sums.steps += sums.steps;
        progress.sums.skipped += (steps as u64).saturating_sub(sums.steps);
        progress.sums.gradient_norm += sums.gradient_norm;
        progress.sums.seconds += seconds;
        if sums.images == 0 {
            // every one was left out, so there is no loss to tell; the epoch's report counts them
            return Ok(());
        }
        let images = sums.images as f64;
        control.tell(Event::Steps(Steps {
            epoch,
            step: progress.step,
            step_in_epoch: progress.step_in_epoch,
            count: steps,
            images: sums.images as usize,
            loss: sums.loss / images,
            accuracy: sums.correct as f64 / images,
            learning_rate,
            gradient_norm: sums.last_norm,
            seconds,
            wait: (waited / seconds.max(f64::MIN_POSITIVE)).min(1.0),
        }));
        Ok(())
    }

    /// Tells all steps that were done, and brings their results to the processor.
    fn settle(&mut self, state: &mut State, control: &mut Control) -> Result<(), TrainError> {
        if self.steps > 0 {
            self.ask(state)?;
        }
        while !self.pending.is_empty() {
            self.tell(state, control)?;
        }
        pull(self.engine, &*state.network, &mut state.optimizer, state.progress.optimizer_steps)
    }
}
