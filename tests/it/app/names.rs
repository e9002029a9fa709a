//! Every control that can be reached has a name that can be read out.

use std::collections::BTreeMap;

use egui::Key;
use egui::accesskit::{Action as Access, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, Pane};

use super::confusion::{click, until};
use super::parts::{looking, trained};
use super::stand::{Window, act, small, state, wait};

/// What a user works with; the names of everything else are words on the screen.
const CONTROLS: [Role; 12] = [
    Role::Button,
    Role::CheckBox,
    Role::RadioButton,
    Role::ComboBox,
    Role::Slider,
    Role::SpinButton,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::Link,
    Role::Tab,
    Role::ColorWell,
    Role::MenuItem,
];

/// A letter or a digit is the least that a name has: "✖" says nothing to who hears it.
fn is_name(label: &str) -> bool {
    label.chars().any(char::is_alphanumeric)
}

/// What of the window is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// Everything that the keyboard reaches or a click does something to, but for scroll bars.
    All,
    /// Controls of the kinds above only: the edges between panels, which can be dragged, have no names.
    Controls,
}

/// Adds to `nameless` the controls that are shown now and have no name.
fn look(window: &Window, scope: Scope, place: &str, nameless: &mut Vec<String>) {
    let mut controls = 0;
    for node in window.query_all_by(|_| true) {
        let node = node.accesskit_node();
        let actions = [Access::Focus, Access::Click];
        let reached = node.role() != Role::ScrollBar && actions.into_iter().any(|action| node.data().supports_action(action));
        let meant = CONTROLS.contains(&node.role()) || (scope == Scope::All && reached);
        if !meant {
            continue;
        }
        controls += 1;
        if !node.label().is_some_and(|label| is_name(&label)) {
            let at = node.raw_bounds();
            nameless.push(format!("{place}: {:?} {:?} {:?} at {at:?}", node.role(), node.label(), node.value()));
        }
    }
    assert!(controls > 3, "{place}: only {controls} controls are shown");
}

fn fill(window: &mut Window, pane: Pane) {
    act(window, Action::Fill(Some(pane)));
}

#[test]
fn every_control_of_every_panel_and_page_has_a_name() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let mut window = looking(run.path());
    act(&mut window, Action::LoadModel(run.best_model()));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    let mut nameless = Vec::new();
    act(&mut window, Action::Fill(None));
    look(&window, Scope::Controls, "all panels", &mut nameless);
    act(&mut window, Action::ClassifyImage(3));
    for pane in Pane::ALL {
        fill(&mut window, pane);
        look(&window, Scope::All, pane.title(), &mut nameless);
    }
    for (pane, pages) in [
        (Pane::Explore, ["Class balance", "Duplicates", "Map", "Pictures"].as_slice()),
        (Pane::Confusion, &["Classes", "Calibration", "PR and ROC", "Suspects", "Compare", "Matrix"]),
        (Pane::Augment, &["Invariance", "Draws"]),
    ] {
        fill(&mut window, pane);
        for page in pages {
            click(&mut window, page);
            look(&window, Scope::All, &format!("{}, {page}", pane.title()), &mut nameless);
        }
    }
    assert!(nameless.is_empty(), "{} controls have no name:\n{}", nameless.len(), nameless.join("\n"));
}

/// The lists that can be opened now.
fn lists(window: &Window) -> Vec<String> {
    let nodes = window.query_all_by(|_| true).map(|node| node.accesskit_node());
    nodes.filter(|node| node.role() == Role::ComboBox && !node.is_disabled()).filter_map(|node| node.label()).collect()
}

/// How many controls of each name are shown. A measurement that ends meanwhile brings lines of text, and no controls.
fn controls(window: &Window) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for node in window.query_all_by(|_| true).map(|node| node.accesskit_node()).filter(|node| CONTROLS.contains(&node.role())) {
        *counts.entry(format!("{:?} {:?}", node.role(), node.label())).or_default() += 1;
    }
    counts
}

/// What is in `more` beyond what is in `less`.
fn beyond(more: &BTreeMap<String, usize>, less: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let rest =
        |(name, count): (&String, &usize)| Some((name.clone(), count.checked_sub(*less.get(name).unwrap_or(&0)).filter(|n| *n > 0)?));
    more.iter().filter_map(rest).collect()
}

/// Opens a list, menu or sheet, looks at it and closes it.
fn look_into(window: &mut Window, role: Role, opener: &str, place: &str, nameless: &mut Vec<String>) {
    let before = controls(window);
    let full = state(window).full;
    // some stand below the fold, where the pointer cannot reach
    window.get_by_role_and_label(role, opener).click_accesskit();
    window.run_ok();
    let opened = beyond(&controls(window), &before);
    assert!(!opened.is_empty(), "{place}: {opener} shows nothing");
    look(window, Scope::All, &format!("{place}, {opener}"), nameless);
    window.key_press(Key::Escape);
    window.run_ok();
    let left = beyond(&controls(window), &before);
    assert!(left.is_empty(), "{place}: Escape leaves {left:?} of {opener}");
    assert_eq!(state(window).full, full, "{place}: Escape closes {opener} and not the panel");
}

#[test]
fn every_control_of_lists_menus_sheets_and_folded_groups_has_a_name() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let mut window = looking(run.path());
    act(&mut window, Action::LoadModel(run.best_model()));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    act(&mut window, Action::ClassifyImage(3));
    wait(&mut window, "the map", |state| state.inspect.explainer.is_some());
    let mut nameless = Vec::new();
    fill(&mut window, Pane::Train);
    for group in ["Against learning by heart", "Machine and seeds"] {
        let before = window.query_all_by(|_| true).count();
        window.get_by_label(group).click_accesskit();
        window.run_ok();
        assert!(window.query_all_by(|_| true).count() > before, "{group} does not open");
        look(&window, Scope::All, group, &mut nameless);
    }
    let mut seen = 0;
    for (pane, page) in [
        (Pane::Train, None),
        (Pane::Explore, Some("Pictures")),
        (Pane::Confusion, Some("Compare")),
        (Pane::Classify, None),
        (Pane::Augment, Some("Draws")),
    ] {
        fill(&mut window, pane);
        if let Some(page) = page {
            click(&mut window, page);
        }
        for list in lists(&window) {
            fill(&mut window, pane);
            look_into(&mut window, Role::ComboBox, &list, pane.title(), &mut nameless);
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} lists were opened");
    for (pane, menu) in [
        (Pane::Explore, "Export…"),
        (Pane::Classify, "Save map…"),
        (Pane::Classify, "Compare with…"),
        (Pane::Confusion, "Open run…"),
        (Pane::Confusion, "Export"),
        (Pane::Augment, "Export"),
    ] {
        fill(&mut window, pane);
        look_into(&mut window, Role::Button, menu, pane.title(), &mut nameless);
    }
    for page in ["Classes", "Calibration", "PR and ROC", "Suspects", "Matrix"] {
        fill(&mut window, Pane::Confusion);
        click(&mut window, page);
        look_into(&mut window, Role::Button, "Export", page, &mut nameless);
    }
    assert!(nameless.is_empty(), "{} controls have no name:\n{}", nameless.len(), nameless.join("\n"));
}

#[test]
fn every_control_above_the_panels_has_a_name() {
    let mut window = small();
    fill(&mut window, Pane::Explore);
    let mut nameless = Vec::new();
    act(&mut window, Action::OpenPicture(4));
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    look(&window, Scope::All, "the large picture", &mut nameless);
    act(&mut window, Action::ClosePicture);
    act(&mut window, Action::Help(true));
    until(&mut window, "Keyboard shortcuts");
    look(&window, Scope::All, "the shortcuts", &mut nameless);
    act(&mut window, Action::Help(false));
    act(&mut window, Action::Palette(true));
    look(&window, Scope::All, "the palette", &mut nameless);
    act(&mut window, Action::Palette(false));
    for step in 0..6 {
        act(&mut window, Action::Tour(Some(step)));
        assert_eq!(state(&window).tour, Some(step));
        look(&window, Scope::Controls, &format!("the tour, {}", step + 1), &mut nameless);
    }
    assert!(nameless.is_empty(), "{} controls have no name:\n{}", nameless.len(), nameless.join("\n"));
}
