//! The window: the only room that knows egui. It holds no tensor and trains nothing itself; it shows a run's events and
//! sends it commands, exactly as the command line does.
//!
//! | module       | what it is                                                                 |
//! |--------------|----------------------------------------------------------------------------|
//! | `state`      | what is true: plain data that the panels borrow                             |
//! | `dropped`    | what dropped files are                                                      |
//! | `explored`   | the part of it that the Explore panel works with                            |
//! | `experiments` | the part of it that the Experiments panel works with, and the slow work behind it |
//! | `familiar`   | the part of it that says whether a picture is like the training data        |
//! | `action`     | every change of it, as one enum                                             |
//! | `apply`      | the one place where actions are applied                                     |
//! | `searched`   | the part of the state that the Search panel works with, and the slow work behind it |
//! | `shared`     | the same for studies in databases that machines share |
//! | `shell`      | the app: drains tasks and events, shows the panels, applies their actions   |
//! | `view`       | one struct a panel: its own UI state; borrows the state, returns actions    |
//! | `widget`     | `fn(ui, &data) -> Response`: heat map, curve plot, image grid, bars         |
//! | `tasks`      | slow work on other threads; a stale answer is ignored                       |
//! | `work`       | the slow work itself: opening, decoding, loading, classifying               |
//! | `thumbnails` | small textures of the pictures in sight, under a cap                        |
//! | `commands`   | what can be asked for by name: the command palette's list                   |
//! | `keys`       | what can be asked for by a key: the shortcuts and their sheet                |
//! | `inspect`    | what is asked about the picture that is classified                          |
//! | `inspect_work` | the slow work on it: answer, map, files                                   |
//! | `lab`        | the augmentation lab: its state and its slow work                           |
//! | `pile`       | many pictures at once: the table                                            |
//! | `pile_worker` | the thread behind it                                                       |
//! | `presets`    | the user's own augmentation presets                                         |
//! | `undo`       | what can be taken back                                                      |
//! | `trust`      | how far maps can be believed, and what was measured before                  |
//! | `map_batch`  | maps of many pictures as files                                              |
//! | `import`     | Galaxy10's HDF5 file becomes a data folder, downloaded first if need be         |
//! | `mirror`     | the mirror of runs in MLflow, and its thread                                |
//! | `models`     | what can be asked of the registry of models                                 |
//! | `map_export` | what can be saved of a map                                                  |
//! | `tiles`      | small maps side by side                                                     |
//! | `layout`     | the movable panels                                                          |
//! | `page`       | the pages of the panels, to turn to                                         |
//! | `fields`     | what the fields of a configuration are called, and why to change them       |
//! | `reviewed`   | the part of the state that the Confusion panel works with                    |
//! | `review_work` | the slow work behind it: reading runs, comparing, evaluating, writing files |
//! | `rival`      | a second model that is asked about the same picture                         |
//! | `saved`      | what survives a restart                                                     |
//! | `theme`      | every colour and size, light and dark                                       |
//! | `window`     | the frame around it all: eframe, the icon, the state file                   |

mod action;
mod apply;
mod commands;
mod dialogs;
mod dropped;
mod experiments;
mod explored;
mod familiar;
mod fields;
mod hook;
mod icon;
mod import;
mod inspect;
mod inspect_work;
mod keys;
mod lab;
mod layout;
mod machine;
mod map_batch;
mod map_export;
mod mirror;
mod models;
mod page;
mod pile;
mod pile_worker;
mod presets;
mod review_work;
mod reviewed;
mod rival;
mod saved;
mod searched;
mod shared;
mod shell;
mod state;
mod tasks;
mod theme;
mod thumbnails;
mod tiles;
mod trust;
mod undo;
mod view;
mod widget;
mod window;
mod work;

pub use action::Action;
pub use experiments::{Change as ExperimentsChange, listing_pause};
pub use explored::{Change as ExploreChange, Integrities};
pub use familiar::Familiar;
pub use import::{ImportAction, Origin as ImportOrigin, Wanted as WantedImport};
pub use inspect::{Export, InspectAction, MapState, Question};
pub use keys::{Does, Global, LOCALS, Local, globals};
pub use lab::LabAction;
pub use layout::{Pane, complete};
pub use page::Page;
pub use pile::{Column, PileAction};
pub use presets::{PresetAction, UserPreset};
pub use rival::RivalAction;
pub use saved::Saved;
pub use searched::{Change as SearchChange, Form as SearchForm, Place as StudyPlace};
pub use shell::TuningForkApp;
pub use state::{Run, State, Verdict};
pub use tiles::Side;
pub use trust::{Check, Trust};
pub use window::run;
