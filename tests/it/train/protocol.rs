//! Commands in, events out: every way that a run can begin and end.

use super::common::{config, dataset, ended, events, start};
use tuning_fork::data::Part;
use tuning_fork::train::{Event, Outcome, RunFolder, Session, Status, evaluate};

#[test]
fn a_run_learns_and_leaves_everything_behind() {
    let parent = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(parent.path().join("run")).unwrap();
    let handle = start(config(4), &folder);
    let events = events(&handle);
    assert!(matches!(events[0], Event::Started(_)), "{:?}", events[0]);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Ended(_))).count(), 1);
    let session = Session::replay(events);
    assert_eq!(session.status, Status::Ended(Outcome::Completed));
    assert_eq!((session.epochs.len(), session.steps_done(), session.steps_total()), (4, 20, 20));
    let best = session.best_epoch().unwrap();
    assert!(best.valid_accuracy > 0.9, "{best:?}");

    let evaluation = evaluate(&folder, Part::Valid, &dataset(60)).unwrap();
    assert_eq!(evaluation.confusion, best.confusion);
    assert!((evaluation.loss - best.valid_loss).abs() < 1e-9, "{} {}", evaluation.loss, best.valid_loss);
    assert_eq!(folder.predicted_epochs().unwrap(), [1, 2, 3, 4]);
    let kept = folder.probabilities(best.epoch).unwrap();
    assert_eq!((kept.len(), kept.classes), (12, 3));
    for (kept, exact) in kept.values.iter().zip(&evaluation.probabilities) {
        assert!((kept.to_f32() - exact).abs() < 5e-4, "{kept} {exact}");
    }
}
