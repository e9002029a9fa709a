//! What is true of the Explore panel: the list of pictures that another panel asked to see.

/// What the Explore panel works with; made afresh with each data set.
#[derive(Default)]
pub struct Explored {
    /// The pictures that were asked for, instead of those that pass the filter.
    pub shown: Option<Shown>,
    /// Counts up with each list that is asked for.
    pub lists: u64,
}

/// A list of pictures and why they are shown.
pub struct Shown {
    /// Why, in few words.
    pub title: String,
    /// The pictures, as indices into the data set.
    pub indices: Vec<usize>,
}

/// A change of what the Explore panel works with.
pub enum Change {
    /// Puts the list of another panel away: the filter counts again.
    CloseShown,
}
