//! The kernel of an operating system, simulated: tasks of different priority send packets to one another; so many runs.

const WORKER: usize = 1;
const HANDLER_A: usize = 2;
const HANDLER_B: usize = 3;
const DEVICE_A: usize = 4;
const DEVICE_B: usize = 5;

#[derive(Clone, Copy)]
enum Kind {
    Device,
    Work,
}

struct Packet {
    link: Option<Box<Packet>>,
    task: usize,
    kind: Kind,
    datum: usize,
    data: [u8; 4],
}

/// Puts a packet at the end of a queue.
fn append(queue: &mut Option<Box<Packet>>, mut packet: Box<Packet>) {
    packet.link = None;
    let mut at = queue;
    while let Some(next) = at {
        at = &mut next.link;
    }
    *at = Some(packet);
}

/// What a task does when its turn comes; gives the number of the task whose turn is next.
trait Job {
    fn run(&mut self, kernel: &mut Kernel, packet: Option<Box<Packet>>) -> Option<usize>;
}

struct Task {
    priority: u32,
    link: Option<usize>,
    // None while it runs.
    job: Option<Box<dyn Job>>,
    queue: Option<Box<Packet>>,
    held: bool,
    waiting: bool,
    ready: bool,
}

#[derive(Default)]
struct Kernel {
    all: Option<usize>,
    tasks: Vec<Task>,
    current: usize,
    queued: u64,
    held: u64,
}

impl Kernel {
    /// Adds a task; it comes before those that were added earlier.
    fn add(&mut self, priority: u32, job: Box<dyn Job>, queue: Option<Box<Packet>>, waiting: bool) {
        let ready = queue.is_some();
        let task = Task { priority, link: self.all, job: Some(job), queue, held: false, waiting, ready };
        self.all = Some(self.tasks.len());
        self.tasks.push(task);
    }

    fn run(&mut self) {
        let mut next = self.all;
        while let Some(current) = next {
            self.current = current;
            let task = &self.tasks[current];
            next = if task.held || task.waiting && !task.ready { task.link } else { self.turn() };
        }
    }

    /// Gives a task its turn, and the first packet of its queue if it waited for one.
    fn turn(&mut self) -> Option<usize> {
        let number = self.current;
        let task = &mut self.tasks[number];
        let mut packet = None;
        if task.waiting && task.ready {
            packet = task.queue.take();
            if let Some(packet) = &mut packet {
                task.queue = packet.link.take();
            }
            task.waiting = false;
            task.ready = task.queue.is_some();
        }
        let mut job = task.job.take()?;
        let next = job.run(self, packet);
        self.tasks[number].job = Some(job);
        next
    }

    /// The current task waits for a packet.
    fn wait(&mut self) -> Option<usize> {
        self.tasks[self.current].waiting = true;
        Some(self.current)
    }

    /// The current task stops until it is released.
    fn hold(&mut self) -> Option<usize> {
        self.held += 1;
        let task = &mut self.tasks[self.current];
        task.held = true;
        task.link
    }

    /// Lets a task go on; gives it if it is more urgent than the current one.
    fn release(&mut self, id: usize) -> Option<usize> {
        self.tasks[id].held = false;
        Some(self.more_urgent(id))
    }

    /// Puts a packet into the queue of its task; gives that if it is more urgent than the current one.
    fn send(&mut self, mut packet: Box<Packet>) -> Option<usize> {
        let id = packet.task;
        self.queued += 1;
        packet.task = self.current;
        let task = &mut self.tasks[id];
        let was_empty = task.queue.is_none();
        append(&mut task.queue, packet);
        if !was_empty {
            return Some(self.current);
        }
        task.ready = true;
        Some(self.more_urgent(id))
    }

    fn more_urgent(&self, id: usize) -> usize {
        if self.tasks[id].priority > self.tasks[self.current].priority { id } else { self.current }
    }
}

/// Releases one device or the other, as a shift register says, for a number of turns.
struct Idle {
    bits: u32,
    left: u32,
}

impl Job for Idle {
    fn run(&mut self, kernel: &mut Kernel, _: Option<Box<Packet>>) -> Option<usize> {
        self.left -= 1;
        if self.left == 0 {
            return kernel.hold();
        }
        if self.bits & 1 == 0 {
            self.bits >>= 1;
            kernel.release(DEVICE_A)
        } else {
            self.bits = self.bits >> 1 ^ 0xD008;
            kernel.release(DEVICE_B)
        }
    }
}

/// Fills packets with letters, for one handler and the other in turn.
struct Worker {
    handler: usize,
    letter: u8,
}

impl Job for Worker {
    fn run(&mut self, kernel: &mut Kernel, packet: Option<Box<Packet>>) -> Option<usize> {
        let Some(mut packet) = packet else { return kernel.wait() };
        self.handler = if self.handler == HANDLER_A { HANDLER_B } else { HANDLER_A };
        packet.task = self.handler;
        packet.datum = 0;
        for place in &mut packet.data {
            self.letter = if self.letter == 26 { 1 } else { self.letter + 1 };
            *place = self.letter;
        }
        kernel.send(packet)
    }
}

/// Passes what work packets hold on to a device, a letter in each device packet.
#[derive(Default)]
struct Handler {
    work: Option<Box<Packet>>,
    device: Option<Box<Packet>>,
}

impl Job for Handler {
    fn run(&mut self, kernel: &mut Kernel, packet: Option<Box<Packet>>) -> Option<usize> {
        if let Some(packet) = packet {
            match packet.kind {
                Kind::Work => append(&mut self.work, packet),
                Kind::Device => append(&mut self.device, packet),
            }
        }
        let Some(mut work) = self.work.take() else { return kernel.wait() };
        if work.datum == 4 {
            self.work = work.link.take();
            return kernel.send(work);
        }
        let Some(mut device) = self.device.take() else {
            self.work = Some(work);
            return kernel.wait();
        };
        self.device = device.link.take();
        device.datum = usize::from(work.data[work.datum]);
        work.datum += 1;
        self.work = Some(work);
        kernel.send(device)
    }
}

/// Keeps a packet for a while, then sends it back.
#[derive(Default)]
struct Device {
    pending: Option<Box<Packet>>,
}

impl Job for Device {
    fn run(&mut self, kernel: &mut Kernel, packet: Option<Box<Packet>>) -> Option<usize> {
        if packet.is_some() {
            self.pending = packet;
            return kernel.hold();
        }
        match self.pending.take() {
            Some(packet) => kernel.send(packet),
            None => kernel.wait(),
        }
    }
}

fn packets(task: usize, kind: Kind, count: usize) -> Option<Box<Packet>> {
    let mut queue = None;
    for _ in 0..count {
        queue = Some(Box::new(Packet { link: queue, task, kind, datum: 0, data: [0; 4] }));
    }
    queue
}

fn simulate() -> (u64, u64) {
    let mut kernel = Kernel::default();
    kernel.add(0, Box::new(Idle { bits: 1, left: 10_000 }), None, false);
    kernel.add(1000, Box::new(Worker { handler: HANDLER_A, letter: 0 }), packets(WORKER, Kind::Work, 2), true);
    kernel.add(2000, Box::new(Handler::default()), packets(DEVICE_A, Kind::Device, 3), true);
    kernel.add(3000, Box::new(Handler::default()), packets(DEVICE_B, Kind::Device, 3), true);
    kernel.add(4000, Box::new(Device::default()), None, true);
    kernel.add(5000, Box::new(Device::default()), None, true);
    kernel.run();
    (kernel.queued, kernel.held)
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut queued, mut held) = (0, 0);
    for _ in 0..rounds {
        let (q, h) = simulate();
        queued += q;
        held += h;
    }
    println!("richards {queued} {held}");
}
