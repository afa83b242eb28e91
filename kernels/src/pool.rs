//! An allocator that keeps freed tensors' memory for the next ones.
//!
//! A training step makes and drops thousands of tensors of a few sizes. The
//! system's allocator gives their pages back each time, and the next tensor pays
//! for every page again: a fault, and zeros over it. Here freed blocks wait in a
//! list by size, and blocks come in huge pages where the system has them.
//!
//! Put it in a binary with `#[global_allocator] static POOL: Pool = Pool::new();`.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, with a pool for blocks of a mebibyte and more on Linux.
#[derive(Debug)]
pub struct Pool {
    #[cfg(target_os = "linux")]
    free: std::sync::Mutex<linux::Free>,
}

/// Blocks smaller than this are the system allocator's.
#[cfg(target_os = "linux")]
const LARGE: usize = 1 << 20;

impl Pool {
    /// An empty pool.
    pub const fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            free: std::sync::Mutex::new(linux::Free::new()),
        }
    }

    /// Gives all free memory back to the system: for where work of another kind begins, which needs
    /// other blocks.
    pub fn give_back(&self) {
        #[cfg(target_os = "linux")]
        self.give_all_back();
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: blocks are the system allocator's, or whole mappings of the system that are at least as
// large and as aligned as asked; a block is in the list of free ones or with one owner, never both.
#[cfg(not(target_os = "linux"))]
unsafe impl GlobalAlloc for Pool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    /// Sizes are multiples of this, and of a sixteenth of the power of two below them: photos that
    /// are cut a little differently, and all that is made of them, take each other's blocks.
    const STEP: usize = 1 << 16;
    const SIZES_AN_OCTAVE: usize = 16;
    /// Bytes that are kept at the most beyond the most that was used at once, and a quarter of that:
    /// work in turns, a picture decoded and then a network, needs other sizes in each, and would map
    /// them anew every time.
    const SPARE: usize = 64 << 20;
    /// Alignment of every block: a huge page.
    const HUGE: usize = 1 << 21;
    /// Different sizes of free blocks.
    const SIZES: usize = 256;

    /// Lists of free blocks, each linked through its blocks' first bytes.
    #[derive(Debug)]
    pub struct Free {
        lists: [(usize, *mut u8); SIZES], // size, first block
        bytes: usize,                     // of the blocks in the lists
        used: usize,                      // of the blocks that have an owner
        most: usize,                      // that were ever used at once
    }

    // SAFETY: the blocks in the lists belong to the lists.
    unsafe impl Send for Free {}

    impl Free {
        pub const fn new() -> Self {
            let lists = [(0, std::ptr::null_mut()); SIZES];
            Self { lists, bytes: 0, used: 0, most: 0 }
        }

        /// The list of `size`, if there is one or room for one.
        fn list(&mut self, size: usize) -> Option<&mut (usize, *mut u8)> {
            let start = size / STEP * 31 % SIZES;
            let places = (0..SIZES).map(|i| (start + i) % SIZES);
            let known = places.clone().find(|&i| self.lists[i].0 == size);
            let place = known.or_else(|| places.clone().find(|&i| self.lists[i].1.is_null()));
            let list = &mut self.lists[place?];
            list.0 = size;
            Some(list)
        }

        /// A free block of `size`; if there is none, the caller maps one, and blocks of other sizes
        /// are given back so that the process never holds more than it once used, and [`SPARE`].
        pub fn take(&mut self, size: usize) -> Option<*mut u8> {
            self.used += size;
            self.most = self.most.max(self.used);
            let block = self.pop(size);
            if block.is_none() {
                self.give_back(self.most + SPARE.min(self.most / 4) - self.used);
            }
            block
        }

        fn pop(&mut self, size: usize) -> Option<*mut u8> {
            let list = self.list(size)?;
            let block = list.1;
            if block.is_null() {
                return None;
            }
            // SAFETY: a free block's first bytes hold the next one.
            list.1 = unsafe { *block.cast::<*mut u8>() };
            self.bytes -= size;
            Some(block)
        }

        /// Unmaps free blocks until `limit` bytes of them are left.
        fn give_back(&mut self, limit: usize) {
            for i in 0..SIZES {
                let size = self.lists[i].0;
                while self.bytes > limit
                    && let Some(block) = (!self.lists[i].1.is_null()).then(|| self.pop(size))
                {
                    // SAFETY: the block is a whole mapping of this size, and nobody's.
                    block.map(|block| unsafe { libc::munmap(block.cast(), size) });
                }
            }
        }

        /// Takes a block that nobody needs.
        pub fn keep(&mut self, block: *mut u8, size: usize) {
            self.used -= size;
            let Some(list) = self.list(size) else {
                // SAFETY: the block is a whole mapping of this size, and nobody's.
                unsafe { libc::munmap(block.cast(), size) };
                return;
            };
            // SAFETY: the block is free and larger than a pointer.
            unsafe { *block.cast::<*mut u8>() = list.1 };
            list.1 = block;
            self.bytes += size;
        }
    }

    /// Maps fresh pages for a block of `size`, aligned to huge ones, of which `asked` bytes are
    /// needed at first: zeros.
    fn map(size: usize, asked: usize) -> *mut u8 {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh mapping touches nobody's memory, and what is given back below is its own.
        unsafe {
            let all = libc::mmap(std::ptr::null_mut(), size + HUGE, protection, flags, -1, 0);
            if all == libc::MAP_FAILED {
                return std::ptr::null_mut();
            }
            let (start, end) = (all as usize, all as usize + size + HUGE);
            let block = start.next_multiple_of(HUGE);
            if block > start {
                libc::munmap(all, block - start);
            }
            libc::munmap((block + size) as *mut _, end - block - size);
            // Only whole huge pages: the rest would be backed beyond what is used.
            libc::madvise(block as *mut _, asked / HUGE * HUGE, libc::MADV_HUGEPAGE);
            block as *mut u8
        }
    }

    /// The size of the block for `layout`, if it is the pool's.
    fn pooled(layout: &Layout) -> Option<usize> {
        let large = layout.size() >= LARGE && layout.align() <= HUGE;
        let step = |size: usize| STEP.max((1 << size.ilog2()) / SIZES_AN_OCTAVE);
        large.then(|| layout.size().checked_next_multiple_of(step(layout.size()))).flatten()
    }

    impl Pool {
        fn free(&self) -> std::sync::MutexGuard<'_, Free> {
            // Nothing below panics while it holds the lock, so what a poisoned one holds is whole.
            self.free.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        pub(super) fn give_all_back(&self) {
            self.free().give_back(0);
            #[cfg(target_env = "gnu")]
            // SAFETY: the system's allocator looks after itself.
            unsafe {
                libc::malloc_trim(0);
            }
        }
    }

    // SAFETY: see above.
    unsafe impl GlobalAlloc for Pool {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            match pooled(&layout) {
                Some(size) => {
                    let kept = self.free().take(size);
                    kept.unwrap_or_else(|| map(size, layout.size()))
                }
                // SAFETY: the caller's promise is passed on.
                None => unsafe { System.alloc(layout) },
            }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            let Some(size) = pooled(&layout) else {
                // SAFETY: the caller's promise is passed on.
                return unsafe { System.alloc_zeroed(layout) };
            };
            let kept = self.free().take(size);
            match kept {
                Some(block) => {
                    // SAFETY: the block is at least as large as the layout.
                    unsafe { block.write_bytes(0, layout.size()) };
                    block
                }
                None => map(size, layout.size()),
            }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            match pooled(&layout) {
                Some(size) => self.free().keep(block, size),
                // SAFETY: the caller's promise is passed on.
                None => unsafe { System.dealloc(block, layout) },
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn layout(size: usize) -> Layout {
            Layout::from_size_align(size, 64).expect("valid")
        }

        #[test]
        fn a_freed_block_is_the_next_one_of_its_size() {
            let pool = Pool::new();
            let size = 3 << 20;
            // SAFETY: every block is freed once, with its layout.
            unsafe {
                let (a, b) = (pool.alloc(layout(size)), pool.alloc(layout(size)));
                assert!(!a.is_null() && a != b && (a as usize).is_multiple_of(HUGE));
                a.write_bytes(7, size);
                pool.dealloc(a, layout(size));
                let again = pool.alloc_zeroed(layout(size - 100));
                assert_eq!(again, a, "sizes are rounded up");
                assert!((0..size - 100).step_by(4099).all(|i| *again.add(i) == 0));
                pool.dealloc(again, layout(size - 100));
                pool.dealloc(b, layout(size));
            }
        }

        #[test]
        fn the_process_never_holds_much_more_than_it_once_used() {
            let pool = Pool::new();
            let (small, large) = (layout(320 << 20), layout(512 << 20));
            // SAFETY: every block is freed once, with its layout.
            unsafe {
                let blocks = [(); 4].map(|()| pool.alloc(small));
                blocks.into_iter().for_each(|block| pool.dealloc(block, small));
                assert_eq!(pool.free().bytes, 1280 << 20);
                let block = pool.alloc(large);
                assert_eq!(pool.free().bytes, 640 << 20, "two were given back for the large one");
                pool.dealloc(block, large);
            }
        }

        #[test]
        fn all_free_blocks_are_given_back_when_asked() {
            let pool = Pool::new();
            let (kept, freed) = (layout(3 << 20), layout(5 << 20));
            // SAFETY: every block is freed once, with its layout.
            unsafe {
                let block = pool.alloc_zeroed(kept);
                pool.dealloc(pool.alloc(freed), freed);
                pool.give_back();
                assert_eq!(pool.free().bytes, 0);
                assert_eq!(*block.add(100), 0, "what has an owner stays");
                pool.dealloc(block, kept);
            }
        }

        #[test]
        fn many_sizes_fall_back_to_the_system() {
            let pool = Pool::new();
            for i in 0..2 * SIZES {
                let layout = layout(LARGE + i * STEP);
                // SAFETY: the block is freed once, with its layout.
                unsafe {
                    let block = pool.alloc(layout);
                    *block = 1;
                    pool.dealloc(block, layout);
                }
            }
            let pool = pool.free();
            assert!(pool.bytes <= pool.most + SPARE && pool.used == 0);
        }
    }
}
