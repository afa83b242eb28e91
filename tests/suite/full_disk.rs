//! A disk that fills up: a clear error, whole files as they were, and no half ones.
//!
//! The disk is a small tmpfs where this may be mounted, and else a limit on file size.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Ran, World, leftovers, listing};

/// A folder `disk/` in a world that can be made full.
struct SmallDisk<'a> {
    world: &'a World,
    mounted: bool,
}

impl<'a> SmallDisk<'a> {
    fn new(world: &'a World) -> Self {
        let disk = world.at("disk");
        fs::create_dir(&disk).expect("a folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&disk)
            .output();
        let mounted = mount.is_ok_and(|output| output.status.success());
        Self { world, mounted }
    }

    /// Runs the binary with `room` more bytes to write.
    fn with_room(&self, room: usize, args: &[String]) -> Ran {
        if !self.mounted {
            let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", room / 1024);
            let mut command = Command::new("bash");
            self.world.confine(&mut command);
            command.args(["-c", &script, "bash", env!("CARGO_BIN_EXE_likeness")]).args(args);
            return Ran::of(args, command.output().expect("bash starts"));
        }
        let filler = self.world.at("disk/filler");
        fs::write(&filler, vec![0; room]).expect("there is more room than that");
        let mut rest = File::create(self.world.at("disk/rest")).expect("a file");
        while rest.write_all(&[0; 4096]).is_ok() {}
        fs::remove_file(filler).expect("removed");
        let ran = self.world.run(args);
        fs::remove_file(self.world.at("disk/rest")).expect("removed");
        ran
    }

    /// What the system says of a full disk.
    fn says(&self) -> &'static str {
        if self.mounted { "No space left on device" } else { "File too large" }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        if self.mounted {
            let unmounted = Command::new("umount").arg(self.world.at("disk")).status();
            assert!(unmounted.is_ok_and(|status| status.success()), "the disk is unmounted");
        }
    }
}

const NONE: Vec<PathBuf> = Vec::new();

#[test]
fn curation_on_a_full_disk_keeps_the_dataset_that_was_there() {
    let world = World::with_photos(6);
    let disk = SmallDisk::new(&world);
    let mut args = world.curate();
    args.extend(["--out".to_owned(), "disk/mika.dataset".to_owned()]);
    world.run(&args).ok();
    let before = listing(&world.at("disk/mika.dataset"));
    assert_eq!(before.len(), 17, "{:?}", before.keys());
    world.photo("p6.png", 6);
    let ran = disk.with_room(8 << 10, &args);
    ran.fails(1, &["disk/mika.dataset", "free space", disk.says()]);
    let after = listing(&world.at("disk/mika.dataset"));
    for name in ["images.jsonl", "report.html"] {
        let name = PathBuf::from(name);
        assert!(after[&name] == before[&name], "`{}` changed", name.display());
    }
    assert_eq!(leftovers(&world.at("disk")), NONE);
    world.run(&args).ok();
    assert_eq!(world.text("disk/mika.dataset/images.jsonl").lines().count(), 7);
}

#[test]
fn training_on_a_full_disk_keeps_its_checkpoints_and_goes_on_later() {
    let world = World::with_dataset(2);
    let disk = SmallDisk::new(&world);
    let args = |out: &str, more: &str| {
        let mut args = world.train("whole", &format!("--set train.save_every=2 {more}"));
        let at = args.iter().position(|arg| arg == "runs/whole").expect("the run folder");
        args[at] = out.to_owned();
        args
    };
    world.run(&args("runs/whole", "--steps 4")).ok();
    world.run(&args("disk/run", "--steps 2")).ok();
    let before = listing(&world.at("disk/run/checkpoints"));
    assert_eq!(before.len(), 3);
    let on = args("disk/run", "--steps 4 --resume");
    let ran = disk.with_room(96 << 10, &on);
    ran.fails(1, &["state.safetensors", "room", disk.says()]);
    assert_eq!(listing(&world.at("disk/run/checkpoints")), before);
    assert_eq!(leftovers(&world.at("disk")), NONE);
    world.run(&on).ok();
    let adapter = world.bytes("disk/run/adapter.safetensors");
    assert!(adapter == world.bytes("runs/whole/adapter.safetensors"));
}

#[test]
fn a_picture_on_a_full_disk_is_there_whole_or_not_at_all() {
    let world = World::new();
    let disk = SmallDisk::new(&world);
    let draw = world.generate("--prompt x --out disk/pictures");
    world.run(&draw).ok();
    let before = listing(&world.at("disk/pictures"));
    assert_eq!(before.len(), 1);
    let ran = disk.with_room(4 << 10, &draw);
    ran.fails(1, &["seed-0-1.png", "room", disk.says()]);
    assert_eq!(listing(&world.at("disk/pictures")), before);
}
