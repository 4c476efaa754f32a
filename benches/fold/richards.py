"""The kernel of an operating system, simulated: tasks of different priority send packets to one another; so many runs."""
import sys

WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5
KIND_DEVICE, KIND_WORK = 0, 1


class Packet:
    def __init__(self, link, task, kind):
        self.link = link
        self.task = task
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4


def append(queue, packet):
    """The queue with a packet at its end."""
    packet.link = None
    if queue is None:
        return packet
    at = queue
    while at.link is not None:
        at = at.link
    at.link = packet
    return queue


class Task:
    def __init__(self, id, priority, link, job, queue, waiting):
        self.id = id
        self.priority = priority
        self.link = link
        self.job = job
        self.queue = queue
        self.held = False
        self.waiting = waiting
        self.ready = queue is not None


class Kernel:
    def __init__(self):
        self.all = None
        self.tasks = []
        self.current = None
        self.queued = 0
        self.held = 0

    def add(self, priority, job, queue, waiting):
        """Adds a task; it comes before those that were added earlier."""
        task = Task(len(self.tasks), priority, self.all, job, queue, waiting)
        self.all = task
        self.tasks.append(task)

    def run(self):
        self.current = self.all
        while self.current is not None:
            task = self.current
            if task.held or task.waiting and not task.ready:
                self.current = task.link
            else:
                self.current = self.turn(task)

    def turn(self, task):
        """Gives a task its turn, and the first packet of its queue if it waited for one."""
        packet = None
        if task.waiting and task.ready:
            packet = task.queue
            if packet is not None:
                task.queue = packet.link
            task.waiting = False
            task.ready = task.queue is not None
        return task.job.run(self, packet)

    def wait(self):
        """The current task waits for a packet."""
        self.current.waiting = True
        return self.current

    def hold(self):
        """The current task stops until it is released."""
        self.held += 1
        self.current.held = True
        return self.current.link

    def release(self, id):
        """Lets a task go on; gives it if it is more urgent than the current one."""
        task = self.tasks[id]
        task.held = False
        return task if task.priority > self.current.priority else self.current

    def send(self, packet):
        """Puts a packet into the queue of its task; gives that if it is more urgent than the current one."""
        task = self.tasks[packet.task]
        self.queued += 1
        packet.link = None
        packet.task = self.current.id
        if task.queue is not None:
            task.queue = append(task.queue, packet)
            return self.current
        task.queue = packet
        task.ready = True
        return task if task.priority > self.current.priority else self.current


class Idle:
    """Releases one device or the other, as a shift register says, for a number of turns."""

    def __init__(self, bits, left):
        self.bits = bits
        self.left = left

    def run(self, kernel, packet):
        self.left -= 1
        if self.left == 0:
            return kernel.hold()
        if self.bits & 1 == 0:
            self.bits = self.bits >> 1
            return kernel.release(DEVICE_A)
        self.bits = self.bits >> 1 ^ 0xD008
        return kernel.release(DEVICE_B)


class Worker:
    """Fills packets with letters, for one handler and the other in turn."""

    def __init__(self):
        self.handler = HANDLER_A
        self.letter = 0

    def run(self, kernel, packet):
        if packet is None:
            return kernel.wait()
        self.handler = HANDLER_B if self.handler == HANDLER_A else HANDLER_A
        packet.task = self.handler
        packet.datum = 0
        for i in range(4):
            self.letter = 1 if self.letter == 26 else self.letter + 1
            packet.data[i] = self.letter
        return kernel.send(packet)


class Handler:
    """Passes what work packets hold on to a device, a letter in each device packet."""

    def __init__(self):
        self.work = None
        self.device = None

    def run(self, kernel, packet):
        if packet is not None:
            if packet.kind == KIND_WORK:
                self.work = append(self.work, packet)
            else:
                self.device = append(self.device, packet)
        work = self.work
        if work is None:
            return kernel.wait()
        if work.datum == 4:
            self.work = work.link
            return kernel.send(work)
        device = self.device
        if device is None:
            return kernel.wait()
        self.device = device.link
        device.datum = work.data[work.datum]
        work.datum += 1
        return kernel.send(device)


class Device:
    """Keeps a packet for a while, then sends it back."""

    def __init__(self):
        self.pending = None

    def run(self, kernel, packet):
        if packet is not None:
            self.pending = packet
            return kernel.hold()
        pending = self.pending
        if pending is None:
            return kernel.wait()
        self.pending = None
        return kernel.send(pending)


def packets(task, kind, count):
    queue = None
    for _ in range(count):
        queue = Packet(queue, task, kind)
    return queue


def simulate():
    kernel = Kernel()
    kernel.add(0, Idle(1, 10_000), None, False)
    kernel.add(1000, Worker(), packets(WORKER, KIND_WORK, 2), True)
    kernel.add(2000, Handler(), packets(DEVICE_A, KIND_DEVICE, 3), True)
    kernel.add(3000, Handler(), packets(DEVICE_B, KIND_DEVICE, 3), True)
    kernel.add(4000, Device(), None, True)
    kernel.add(5000, Device(), None, True)
    kernel.run()
    return kernel.queued, kernel.held


def main(rounds):
    queued = held = 0
    for _ in range(rounds):
        q, h = simulate()
        queued += q
        held += h
    print(f"richards {queued} {held}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
