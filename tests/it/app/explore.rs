//! The pictures: the grid, its filters, the large picture.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::Action;

use super::stand::{Window, act, app, data, small, state, wait};

fn with_data(count: usize) -> Window {
    let mut window = small();
    app(&mut window).show_data(data(count)).expect("it can be split");
    window.run_ok();
    window
}

#[test]
fn only_the_pictures_in_sight_exist() {
    let window = with_data(17_736);
    assert!(window.query_by_label_contains("17,736 of 17,736").is_some());
    let shown = window.query_all_by_label_contains("image ").count();
    assert!((6..200).contains(&shown), "{shown} pictures in the tree");
    assert!(window.query_by_label_contains("image 17735:").is_none());
}

#[test]
fn a_click_opens_a_picture_and_escape_closes_it() {
    let mut window = with_data(300);
    window.get_by_label_contains("image 4: Spiral").click();
    window.run_ok();
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    for words in ["Image 4 of plain", "0.04000°", "-0.00400°", "8 x 8 px", "image 4 large"] {
        assert!(window.query_by_label_contains(words).is_some(), "{words}");
    }
    assert!(window.query_by_label("Pixel scale").is_none(), "what is not known is not shown");
    window.key_press(Key::ArrowRight);
    window.run_ok();
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(5));
    window.get_by_label("Previous").click();
    window.run_ok();
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(4));
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(state(&window).opened.is_none());
}

#[test]
fn arrows_move_and_enter_opens() {
    let mut window = with_data(17_736);
    window.get_by_label_contains("Pictures (arrow keys").focus();
    window.run_ok();
    for key in [Key::ArrowRight, Key::ArrowRight, Key::ArrowLeft, Key::Enter] {
        window.key_press(key);
        window.run_ok();
    }
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(1));
    window.key_press(Key::Escape);
    window.run_ok();
    for key in [Key::End, Key::Enter] {
        window.key_press_modifiers(Modifiers::NONE, key);
        window.run_ok();
    }
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(17_735));
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(window.query_by_label_contains("image 17735:").is_some(), "the grid scrolled to the selection");
}

#[test]
fn filters_leave_the_pictures_of_a_class() {
    let mut window = with_data(300);
    window.get_by_label("Class filter").click();
    window.run_ok();
    window.get_by_label("Edge-on").click();
    window.run_ok();
    assert!(window.query_by_label("100 of 300").is_some());
    assert!(window.query_by_label_contains("image 2: Edge-on").is_some());
    assert!(window.query_by_label_contains("image 1: Spiral").is_none());
}

#[test]
fn the_class_balance_tells_each_part() {
    let mut window = with_data(300);
    window.get_by_label("Class balance").click();
    window.run_ok();
    assert!(window.query_by_label_contains("Round: ").is_some());
    assert!(window.get_by_label("Class balance").accesskit_node().toggled() == Some(egui::accesskit::Toggled::True));
}

#[test]
fn a_list_of_another_panel_is_shown_as_it_is_until_its_chip_is_closed() {
    let mut window = with_data(300);
    act(&mut window, Action::ShowInExplore { title: "Spiral called Round, epoch 3".into(), indices: vec![200, 4, 100_000, 7] });
    assert!(window.query_by_label("Spiral called Round, epoch 3").is_some());
    assert!(window.query_by_label("3 of 300").is_some(), "a picture that does not exist is left out");
    let places: Vec<f32> = ["image 200:", "image 4:", "image 7:"].map(|label| window.get_by_label_contains(label).rect().left()).to_vec();
    assert!(places.is_sorted(), "in the order that was asked for: {places:?}");
    window.get_by_label("Show all pictures again").click();
    window.run_ok();
    assert!(window.query_by_label("300 of 300").is_some());
}
