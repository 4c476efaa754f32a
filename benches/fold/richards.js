// The kernel of an operating system, simulated: tasks of different priority send packets to one another; so many runs.
'use strict';

const WORKER = 1, HANDLER_A = 2, HANDLER_B = 3, DEVICE_A = 4, DEVICE_B = 5;
const KIND_DEVICE = 0, KIND_WORK = 1;

class Packet {
    constructor(link, task, kind) {
        this.link = link;
        this.task = task;
        this.kind = kind;
        this.datum = 0;
        this.data = [0, 0, 0, 0];
    }
}

// The queue with a packet at its end.
function append(queue, packet) {
    packet.link = null;
    if (queue === null) return packet;
    let at = queue;
    while (at.link !== null) at = at.link;
    at.link = packet;
    return queue;
}

class Task {
    constructor(id, priority, link, job, queue, waiting) {
        this.id = id;
        this.priority = priority;
        this.link = link;
        this.job = job;
        this.queue = queue;
        this.held = false;
        this.waiting = waiting;
        this.ready = queue !== null;
    }
}

class Kernel {
    constructor() {
        this.all = null;
        this.tasks = [];
        this.current = null;
        this.queued = 0;
        this.held = 0;
    }

    // Adds a task; it comes before those that were added earlier.
    add(priority, job, queue, waiting) {
        const task = new Task(this.tasks.length, priority, this.all, job, queue, waiting);
        this.all = task;
        this.tasks.push(task);
    }

    run() {
        this.current = this.all;
        while (this.current !== null) {
            const task = this.current;
            if (task.held || task.waiting && !task.ready) this.current = task.link;
            else this.current = this.turn(task);
        }
    }

    // Gives a task its turn, and the first packet of its queue if it waited for one.
    turn(task) {
        let packet = null;
        if (task.waiting && task.ready) {
            packet = task.queue;
            if (packet !== null) task.queue = packet.link;
            task.waiting = false;
            task.ready = task.queue !== null;
        }
        return task.job.run(this, packet);
    }

    // The current task waits for a packet.
    wait() {
        this.current.waiting = true;
        return this.current;
    }

    // The current task stops until it is released.
    hold() {
        this.held++;
        this.current.held = true;
        return this.current.link;
    }

    // Lets a task go on; gives it if it is more urgent than the current one.
    release(id) {
        const task = this.tasks[id];
        task.held = false;
        return task.priority > this.current.priority ? task : this.current;
    }

    // Puts a packet into the queue of its task; gives that if it is more urgent than the current one.
    send(packet) {
        const task = this.tasks[packet.task];
        this.queued++;
        packet.link = null;
        packet.task = this.current.id;
        if (task.queue !== null) {
            task.queue = append(task.queue, packet);
            return this.current;
        }
        task.queue = packet;
        task.ready = true;
        return task.priority > this.current.priority ? task : this.current;
    }
}

// Releases one device or the other, as a shift register says, for a number of turns.
class Idle {
    constructor(bits, left) {
        this.bits = bits;
        this.left = left;
    }

    run(kernel) {
        this.left--;
        if (this.left === 0) return kernel.hold();
        if ((this.bits & 1) === 0) {
            this.bits = this.bits >> 1;
            return kernel.release(DEVICE_A);
        }
        this.bits = this.bits >> 1 ^ 0xD008;
        return kernel.release(DEVICE_B);
    }
}

// Fills packets with letters, for one handler and the other in turn.
class Worker {
    constructor() {
        this.handler = HANDLER_A;
        this.letter = 0;
    }

    run(kernel, packet) {
        if (packet === null) return kernel.wait();
        this.handler = this.handler === HANDLER_A ? HANDLER_B : HANDLER_A;
        packet.task = this.handler;
        packet.datum = 0;
        for (let i = 0; i < 4; i++) {
            this.letter = this.letter === 26 ? 1 : this.letter + 1;
            packet.data[i] = this.letter;
        }
        return kernel.send(packet);
    }
}

// Passes what work packets hold on to a device, a letter in each device packet.
class Handler {
    constructor() {
        this.work = null;
        this.device = null;
    }

    run(kernel, packet) {
        if (packet !== null) {
            if (packet.kind === KIND_WORK) this.work = append(this.work, packet);
            else this.device = append(this.device, packet);
        }
        const work = this.work;
        if (work === null) return kernel.wait();
        if (work.datum === 4) {
            this.work = work.link;
            return kernel.send(work);
        }
        const device = this.device;
        if (device === null) return kernel.wait();
        this.device = device.link;
        device.datum = work.data[work.datum];
        work.datum++;
        return kernel.send(device);
    }
}

// Keeps a packet for a while, then sends it back.
class Device {
    constructor() {
        this.pending = null;
    }

    run(kernel, packet) {
        if (packet !== null) {
            this.pending = packet;
            return kernel.hold();
        }
        const pending = this.pending;
        if (pending === null) return kernel.wait();
        this.pending = null;
        return kernel.send(pending);
    }
}

function packets(task, kind, count) {
    let queue = null;
    for (let i = 0; i < count; i++) queue = new Packet(queue, task, kind);
    return queue;
}

function simulate() {
    const kernel = new Kernel();
    kernel.add(0, new Idle(1, 10000), null, false);
    kernel.add(1000, new Worker(), packets(WORKER, KIND_WORK, 2), true);
    kernel.add(2000, new Handler(), packets(DEVICE_A, KIND_DEVICE, 3), true);
    kernel.add(3000, new Handler(), packets(DEVICE_B, KIND_DEVICE, 3), true);
    kernel.add(4000, new Device(), null, true);
    kernel.add(5000, new Device(), null, true);
    kernel.run();
    return kernel;
}

const rounds = Number(process.argv[2] ?? 0);
let queued = 0, held = 0;
for (let round = 0; round < rounds; round++) {
    const kernel = simulate();
    queued += kernel.queued;
    held += kernel.held;
}
console.log(`richards ${queued} ${held}`);
