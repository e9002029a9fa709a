//! The Augment panel: the lab's galaxy, seed, settings and presets, and the microscope.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, LabAction, Pane, Saved};
use tuning_fork::augment::{Augmentation, Preset};
use tuning_fork::train::{Config, Status};

use super::stand::{Window, act, app, data, run, small, small_config, state, step, wait, window};

/// A window in which the lab fills the window and its first sheet is there.
fn lab() -> Window {
    let mut window = small();
    act(&mut window, Action::Lab(LabAction::Open(3)));
    sheet(&mut window);
    window
}

/// Waits for the sheet of what is set.
fn sheet(window: &mut Window) {
    window.run_ok();
    wait(window, "the sheet", |state| {
        let lab = &state.lab;
        lab.making.is_none() && lab.sheet.as_ref().is_some_and(|shown| shown.sheet.key.augmentation == state.config.augmentation)
    });
    wait(window, "the sheet", |state| state.lab.making.is_none());
}

#[test]
fn the_lab_shows_what_the_next_run_will_see() {
    let mut window = lab();
    assert_eq!(state(&window).full, Some(Pane::Augment));
    let words = if state(&window).lab.sheet.as_ref().expect("a sheet").sheet.trains {
        "exactly what epochs 1 to 2 of the next run see"
    } else {
        "not a training image"
    };
    for words in
        ["12 draws at 32 x 32 px", words, "draw 12: ", "Draw 1 step by step", "input of the network, blue", "Start trains with this: Turns"]
    {
        assert!(window.query_all_by_label_contains(words).next().is_some(), "{words}");
    }
    for stage in ["source", "crop", "colour", "blur", "geometry", "noise, erase"] {
        assert!(window.query_by_label_contains(&format!("step {stage}, 32 x 32 px")).is_some(), "{stage}");
    }
    // another draw is taken apart
    window.get_by_label_contains("draw 5: ").click();
    sheet(&mut window);
    assert!(window.query_by_label("Draw 5 step by step").is_some());
    // and now the arrow keys change the galaxy
    window.key_press(Key::ArrowRight);
    window.run_ok();
    assert_eq!(state(&window).lab.index, 4);
    window.get_by_label("Previous galaxy").click();
    window.run_ok();
    assert_eq!(state(&window).lab.index, 3);
    window.get_by_label("Another one").click();
    window.run_ok();
    assert_ne!(state(&window).lab.index, 3);
    window.get_by_role_and_label(Role::SpinButton, "Galaxy").set_value_accesskit(99.0);
    window.run_ok();
    assert_eq!(state(&window).lab.index, 99);
    assert!(window.get_by_label("Next galaxy").accesskit_node().is_disabled());
}

#[test]
fn draws_follow_the_seed_and_a_locked_seed_stays() {
    let mut window = lab();
    let seed = |window: &mut Window| {
        sheet(window);
        state(window).lab.sheet.as_ref().expect("a sheet").sheet.key.seed
    };
    let run = state(&window).config.seed;
    assert_eq!(seed(&mut window), run);
    window.get_by_label("Next galaxy").click();
    assert_eq!(seed(&mut window), run, "locked");
    window.get_by_label("Draw again").click();
    let other = seed(&mut window);
    assert_ne!(other, run);
    window.get_by_label("Lock").click();
    window.run_ok();
    window.get_by_label("Next galaxy").click();
    assert_ne!(seed(&mut window), other, "unlocked, another galaxy gets other draws");
    window.get_by_label("Seed of the run").click();
    assert_eq!(seed(&mut window), run);
}

#[test]
fn sliders_are_live_and_training_takes_them() {
    let mut window = lab();
    window.get_by_role_and_label(Role::Slider, "Brightness").set_value_accesskit(0.4);
    sheet(&mut window);
    let brightness = |augmentation: &Augmentation| augmentation.brightness;
    assert!((brightness(&state(&window).config.augmentation) - 0.4).abs() < 1e-9);
    assert!((brightness(&state(&window).lab.sheet.as_ref().expect("a sheet").sheet.key.augmentation) - 0.4).abs() < 1e-9);
    assert!(window.query_all_by_label_contains("brightness x ").next().is_some());
    assert!(window.query_by_label("Start trains with this: Own mixture").is_some());
    // a value that cannot be used says so and keeps the sheet
    act(
        &mut window,
        Action::Configure(Box::new(Config { augmentation: Augmentation { hue: 0.9, ..Preset::Turns.augmentation() }, ..small_config() })),
    );
    assert!(window.query_all_by_label_contains("choose a share of the colour circle").next().is_some());
    // the way back
    act(&mut window, Action::Undo);
    assert!((brightness(&state(&window).config.augmentation) - 0.4).abs() < 1e-9);
    act(&mut window, Action::Undo);
    assert_eq!(state(&window).config.augmentation, Preset::Turns.augmentation());
}

#[test]
fn sections_are_switched_off_and_on_as_they_were() {
    let mut window = lab();
    act(&mut window, Action::Configure(Box::new(Config { augmentation: Preset::Seed.augmentation(), ..small_config() })));
    for section in ["Colour on", "Geometry on", "Crop on"] {
        window.get_by_label(section).click();
        window.run_ok();
    }
    let off = state(&window).config.augmentation;
    assert!(off.brightness == 0.0 && off.hue == 0.0 && !off.flip && off.crop_height > 0.99 && off.blur > 0.0);
    for section in ["Crop on", "Colour on", "Geometry on"] {
        window.get_by_label(section).click();
        window.run_ok();
    }
    assert_eq!(state(&window).config.augmentation, Preset::Seed.augmentation());
    // what was never set gets usual values
    window.get_by_label("Mixing within a batch on").scroll_to_me();
    window.run_ok();
    window.get_by_label("Mixing within a batch on").click();
    window.run_ok();
    assert!(state(&window).config.augmentation.mixup > 0.0 && state(&window).config.augmentation.cutmix > 0.0);
}

#[test]
fn the_contact_sheet_becomes_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = lab();
    app(&mut window).keep_runs_in(folder.path());
    window.get_by_label("Export").click();
    window.run_ok();
    window.get_by_label("Contact sheet as PNG").click();
    window.run_ok();
    wait(&mut window, "the file", |state| state.notices.iter().any(|notice| notice.text.contains("sheet_image_3_seed_42.png")));
    let sheet = image::open(folder.path().join("exports/sheet_image_3_seed_42.png")).expect("a picture").into_rgb8();
    assert_eq!((sheet.width(), sheet.height()), (4 * 34 - 2, 3 * 34 - 2));
    let first = &state(&window).lab.sheet.as_ref().expect("a sheet").sheet.draws[0].image;
    assert_eq!(sheet.get_pixel(5, 7).0, first.pixels()[3 * (7 * 32 + 5)..][..3]);
}

#[test]
fn draws_and_the_histogram_become_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = lab();
    app(&mut window).keep_runs_in(folder.path());
    let exports = folder.path().join("exports");
    let mut export = |label: &str, name: &str| {
        window.get_by_label("Export").click();
        window.run_ok();
        window.get_by_label(label).click();
        window.run_ok();
        wait(&mut window, name, |state| state.notices.iter().any(|notice| notice.text.contains(name)));
        std::fs::read(exports.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(export("Histogram as PNG", "histogram_image_3_seed_42_draw_1.png").starts_with(b"\x89PNG"));
    let svg = export("Histogram as SVG", "histogram_image_3_seed_42_draw_1.svg");
    assert!(String::from_utf8_lossy(&svg).contains("What the network sees of image 3, draw 1 with seed 42"));
    let bars = String::from_utf8(export("Histogram as CSV", "histogram_image_3_seed_42_draw_1.csv")).expect("text");
    let rows: Vec<Vec<f64>> =
        bars.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect()).collect();
    assert_eq!((bars.lines().next(), rows[0][0], rows[rows.len() - 1][1]), (Some("from,to,red,green,blue"), -1.0, 1.0));
    for colour in 2..5 {
        assert_eq!(rows.iter().map(|row| row[colour] as usize).sum::<usize>(), 32 * 32, "every pixel stands in one bar");
    }
    let draws = String::from_utf8(export("Draws as CSV", "sheet_image_3_seed_42.csv")).expect("text");
    let drawn = &state(&window).lab.sheet.as_ref().expect("a sheet").sheet.draws;
    assert_eq!(draws.lines().count(), 1 + drawn.len());
    for (line, drawn) in draws.lines().skip(1).zip(drawn) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[7], if drawn.draw.flip { "yes" } else { "no" }, "{line}");
        assert_eq!(cells[8].parse(), Ok(90.0 * drawn.draw.quarter_turns as f64), "{line}");
    }
}

#[test]
fn mixing_is_shown_with_partners_and_shares() {
    let mut window = lab();
    let config = Config { augmentation: Augmentation { mixup: 1.0, cutmix: 1.0, ..Preset::Turns.augmentation() }, ..small_config() };
    act(&mut window, Action::Configure(Box::new(config)));
    sheet(&mut window);
    // a training image is mixed in every epoch, another never
    for index in 0..20 {
        act(&mut window, Action::Lab(LabAction::Galaxy(index)));
        sheet(&mut window);
        let shown = &state(&window).lab.sheet.as_ref().expect("a sheet").sheet;
        assert!(shown.key.index == index && shown.draws.iter().all(|drawn| drawn.mixed.is_some() == shown.trains), "{index}");
        if shown.trains {
            assert!(window.query_all_by_label_contains("step mixed with image ").next().is_some());
        }
    }
}

#[test]
fn presets_are_saved_renamed_deleted_and_brought_back() {
    let mut window = lab();
    window.get_by_role_and_label(Role::Slider, "Sky noise").set_value_accesskit(0.05);
    sheet(&mut window);
    let mixture = state(&window).config.augmentation;
    let name = window.get_by_role_and_label(Role::TextInput, "Preset name");
    name.focus();
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "Preset name").type_text("gentle");
    window.run_ok();
    assert!(window.get_by_label("Save preset").accesskit_node().is_disabled(), "the name of a built-in preset");
    window.get_by_role_and_label(Role::TextInput, "Preset name").type_text(" sky");
    window.run_ok();
    window.get_by_label("Save preset").click();
    window.run_ok();
    assert_eq!(state(&window).presets.len(), 1);
    assert_eq!((state(&window).presets[0].name.as_str(), state(&window).presets[0].augmentation), ("gentle sky", mixture));
    assert!(window.query_by_label("Start trains with this: gentle sky").is_some());

    window.get_by_label("Rename").click();
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "New name").focus();
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "New name").type_text(" 2");
    window.run_ok();
    window.get_by_label("OK").click();
    window.run_ok();
    assert_eq!(state(&window).presets[0].name, "gentle sky 2");

    // it survives a restart
    let saved = app(&mut window).saved();
    let text = serde_json::to_string(&saved).expect("plain data");
    let mut second = self::window(serde_json::from_str::<Saved>(&text).expect("and back"));
    wait(&mut second, "the data", |state| state.data.is_some());
    assert_eq!(state(&second).presets, state(&window).presets);

    window.get_by_label("Delete").click();
    window.run_ok();
    assert!(state(&window).presets.is_empty());
    assert_eq!(state(&window).config.augmentation, mixture, "the settings stay on the form");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run_ok();
    assert_eq!(state(&window).presets.len(), 1);
    assert!(window.query_by_label("Start trains with this: gentle sky 2").is_some());
}

#[test]
fn the_train_form_chooses_a_preset_and_opens_the_lab() {
    let mut window = small();
    window.get_by_label("Open the lab").scroll_to_me();
    window.run_ok();
    window.get_by_label("Open the lab").click();
    window.run_ok();
    assert_eq!(state(&window).full, Some(Pane::Augment));
    sheet(&mut window);
    // a run that goes on keeps what it was started with
    run(&mut window, [step(1)]);
    act(&mut window, Action::Configure(Box::new(Config { augmentation: Preset::Strong.augmentation(), ..small_config() })));
    assert!(window.query_by_label("Start trains with this: Strong").is_some());
    assert!(window.query_by_label("The run that is going on keeps what it was started with: Turns").is_some());
}

#[test]
fn a_picture_from_explore_comes_to_the_lab() {
    let mut window = small();
    app(&mut window).show_data(data(300)).expect("it can be split");
    window.run_ok();
    window.get_by_label_contains("image 4: Spiral").click();
    window.run_ok();
    window.get_by_label("To the lab").click();
    window.run_ok();
    assert_eq!((state(&window).lab.index, state(&window).full), (4, Some(Pane::Augment)));
    assert!(window.query_by_label("labelled Spiral").is_some());
    window.get_by_label("Next galaxy").click();
    window.run_ok();
    window.get_by_label("From Explore").click();
    window.run_ok();
    assert_eq!(state(&window).lab.index, 4);
}

#[test]
fn an_older_layout_gets_the_new_panel() {
    let mut saved = Saved::with_config(small_config());
    let tile = saved.layout.tiles.find_pane(&Pane::Augment).expect("the panel");
    saved.layout.remove_recursively(tile);
    let layout = tuning_fork::app::complete(saved.layout.clone());
    assert!(Pane::ALL.iter().all(|pane| layout.tiles.find_pane(pane).is_some()));
    assert_ne!(layout, saved.layout);
    assert_eq!(tuning_fork::app::complete(layout.clone()), layout);
}

#[test]
fn the_microscope_needs_a_model_and_then_asks_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = lab();
    window.get_by_label("Invariance").click();
    window.run_ok();
    assert!(window.query_by_label("No model yet").is_some());
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    act(&mut window, Action::Start);
    wait(&mut window, "the end of the run", |state| state.run.as_ref().is_some_and(|run| matches!(run.session.status, Status::Ended(_))));
    wait(&mut window, "all sweeps", |state| state.lab.microscope.sweeps.iter().all(Option::is_some));
    for sweep in &state(&window).lab.microscope.sweeps {
        let (swept, _) = sweep.as_ref().expect("waited for").as_ref().expect("the model answers");
        assert_eq!(swept.positions.len(), swept.probabilities.len());
        let answers = |row: &Vec<f32>| tuning_fork::metrics::top(row);
        let first = answers(&swept.probabilities[0]);
        match &swept.flip {
            None => assert!(swept.probabilities.iter().all(|row| answers(row) == first)),
            Some(flip) => {
                let before = swept.positions.iter().zip(&swept.probabilities).take_while(|(at, _)| **at < flip.at);
                assert!(before.into_iter().all(|(_, row)| answers(row) == first) && flip.class != first);
            }
        }
    }
    for words in ["Spread 0.", "Probabilities along turn", "What this galaxy withstands", "the galaxy at 0°"] {
        assert!(window.query_all_by_label_contains(words).next().is_some(), "{words}");
    }
    window.get_by_role_and_label(Role::Slider, "Position").set_value_accesskit(18.0);
    window.run_ok();
    assert!(window.query_by_label("the galaxy at 90°").is_some());
    window.get_by_role_and_label(Role::Button, "Dimming").click();
    window.run_ok();
    assert!(window.query_all_by_label_contains("Probabilities along dimming").next().is_some());
    // the plot and its numbers become files
    let exports = folder.path().join("runs/exports");
    for (entry, file) in [("Plot as PNG", "image_3_dimming.png"), ("Probabilities as CSV", "image_3_dimming.csv")] {
        window.get_by_label("Export").click();
        window.run_ok();
        window.get_by_label(entry).click();
        window.run_ok();
        wait(&mut window, file, |state| state.notices.iter().any(|notice| notice.text.contains(file)));
    }
    assert!(image::open(exports.join("image_3_dimming.png")).is_ok_and(|plot| plot.width() > 600));
    let table = std::fs::read_to_string(exports.join("image_3_dimming.csv")).expect("a table");
    let (swept, _) = state(&window).lab.microscope.sweeps[4].as_ref().expect("dimming").as_ref().expect("answers");
    assert_eq!(table.lines().count(), 1 + swept.positions.len());
    assert!(table.starts_with("share of the light taken away,Disturbed,"), "{table}");
    window.get_by_label("Survey the classes").scroll_to_me();
    window.run_ok();
    window.get_by_label("Survey the classes").click();
    window.run_ok();
    wait(&mut window, "two classes", |state| state.lab.microscope.survey.iter().flatten().count() >= 2);
    let rows: Vec<_> = state(&window).lab.microscope.survey.iter().flatten().collect();
    assert!(rows.iter().all(|row| row.as_ref().is_ok_and(|row| (1..=8).contains(&row.galaxies) && (0.0..=1.0).contains(&row.spread))));
    window.get_by_label("Stop the survey").click();
    window.run_ok();
    assert!(state(&window).lab.microscope.survey.is_empty());
    assert!(window.query_by_label("Survey the classes").is_some());
}
