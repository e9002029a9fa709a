//! The large picture: zoom, tone, what is under the pointer, its place on the sky.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, OutputCommand, vec2};
use egui_kittest::kittest::Queryable as _;

use tuning_fork::app::Action;

use super::stand::{Window, act, app, data, small, state, wait};

fn opened() -> Window {
    let mut window = small();
    let mut set = data(300);
    std::sync::Arc::get_mut(&mut set).expect("nobody else has it").catalogue.pxscale = vec![0.5; 300];
    app(&mut window).show_data(set).expect("it can be split");
    wait(&mut window, "the marks", |state| state.explore.marked.is_some());
    window.get_by_label_contains("image 4: Spiral").click();
    window.run_ok();
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    window
}

#[test]
fn keys_relabel_here_too_and_take_it_back() {
    let mut window = opened();
    let marks = |window: &Window| state(window).explore.marked.as_ref().expect("read").marks.iter().count();
    for (modifiers, key, count) in
        [(Modifiers::NONE, Key::Num2, 1), (Modifiers::COMMAND, Key::Z, 0), (Modifiers::NONE, Key::T, 1), (Modifiers::NONE, Key::U, 0)]
    {
        // in a slow frame the modifiers are let go again before it is worked through
        window.event(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers });
        window.run_ok();
        assert_eq!(marks(&window), count, "{key:?}");
    }
}

#[test]
fn the_value_under_the_pointer_is_shown() {
    let mut window = opened();
    let rect = window.get_by_label_contains("image 4 large").rect();
    window.hover_at(rect.left_top() + rect.size() * vec2(0.30, 0.55));
    window.run_ok();
    assert!(window.query_by_label("Pixel 2, 4:  r 4  g 4  b 4").is_some(), "8 x 8 pixels of value 4");
    window.hover_at(rect.left_top() - vec2(20.0, 20.0));
    window.run_ok();
    assert!(window.query_by_label_contains("Zoom ").is_some());
}

#[test]
fn the_wheel_zooms_dragging_moves_and_reset_brings_the_whole_back() {
    let mut window = opened();
    let rect = window.get_by_label_contains("image 4 large").rect();
    window.hover_at(rect.left_top() + rect.size() * 0.06);
    window.run_ok();
    assert!(window.query_by_label_contains("Pixel 0, 0:").is_some());
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 280.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
        source: egui::MouseWheelSource::Wheel,
    });
    window.run_ok();
    assert!(window.query_by_label_contains("Pixel 0, 0:").is_some(), "what is under the pointer stays there");
    window.hover_at(rect.center());
    window.run_ok();
    assert!(window.query_by_label_contains("Pixel 4, 4:").is_none(), "the middle is no longer in the middle");
    window.get_by_label("Reset").click();
    window.run_ok();
    window.hover_at(rect.center() + vec2(2.0, 2.0));
    window.run_ok();
    assert!(window.query_by_label_contains("Pixel 4, 4:").is_some());
}

#[test]
fn tone_is_set_by_controls_and_by_dragging_with_the_right_button() {
    let mut window = opened();
    let bias = |window: &Window| window.get_by_role_and_label(Role::SpinButton, "Bias").value().unwrap_or_default();
    assert_eq!(bias(&window), "0.50");
    let rect = window.get_by_label_contains("image 4 large").rect();
    let button =
        |pos, pressed| egui::Event::PointerButton { pos, button: egui::PointerButton::Secondary, pressed, modifiers: Modifiers::NONE };
    window.hover_at(rect.center());
    window.event(button(rect.center(), true));
    window.step();
    let to = rect.center() + vec2(0.25 * rect.width(), 0.0);
    for part in [0.5, 1.0] {
        window.hover_at(rect.center().lerp(to, part));
        window.step();
    }
    window.event(button(to, false));
    window.run_ok();
    assert_eq!(bias(&window), "0.75");
    for label in ["Inverted", "G", "Reset"] {
        window.get_by_label(label).click();
        window.run_ok();
    }
    assert_eq!(bias(&window), "0.50");
}

#[test]
fn a_drawn_galaxy_is_looked_for_in_no_catalogue() {
    let mut window = small();
    act(&mut window, Action::OpenPicture(4));
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    assert!(window.query_by_label("Copy position").is_some());
    assert!(window.query_by_label_contains("nothing is at its position on the sky").is_some());
    assert!(window.query_by_label("SIMBAD").is_none());
}

#[test]
fn the_position_is_copied_and_leads_to_other_services() {
    let mut window = opened();
    window.get_by_label("Copy position").click();
    window.step();
    let copied =
        window.output().platform_output.commands.iter().any(|c| matches!(c, OutputCommand::CopyText(t) if t == "0.040000 -0.004000"));
    assert!(copied, "{:?}", window.output().platform_output.commands);
    window.run_ok();
    for (name, host) in [("Legacy Survey", "legacysurvey.org"), ("SIMBAD", "simbad"), ("Aladin", "aladin")] {
        window.get_by_label(name).click();
        window.step();
        let commands = &window.output().platform_output.commands;
        assert!(commands.iter().any(|c| matches!(c, OutputCommand::OpenUrl(url) if url.url.contains(host))), "{name}: {commands:?}");
        window.run_ok();
    }
    assert!(window.query_by_label_contains("H0 = 70 km/s/Mpc, Omega matter = 0.3").is_some());
}
