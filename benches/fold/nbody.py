"""Sun and four giant planets under gravity, so many steps of a hundredth of a day; prints the energy before and after."""
import math
import sys

DAYS = 365.24
SOLAR_MASS = 4 * math.pi * math.pi


class Body:
    __slots__ = ("x", "y", "z", "vx", "vy", "vz", "mass")

    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x = x
        self.y = y
        self.z = z
        self.vx = vx * DAYS
        self.vy = vy * DAYS
        self.vz = vz * DAYS
        self.mass = mass * SOLAR_MASS


def system():
    bodies = [
        Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        Body(4.841431442, -1.160320044, -0.103622044, 0.001660076, 0.007699011, -0.000069046, 0.000954792),
        Body(8.343366718, 4.124798564, -0.403523417, -0.002767425, 0.004998528, 0.000023042, 0.000285886),
        Body(12.894369562, -15.111151401, -0.223307579, 0.002964601, 0.002378472, -0.000029659, 0.000043662),
        Body(15.379697115, -25.919314610, 0.179258773, 0.002680678, 0.001628242, -0.000095159, 0.000051514),
    ]
    # The sun moves so that the whole stays where it is.
    sun = bodies[0]
    for body in bodies[1:]:
        sun.vx -= body.vx * body.mass / sun.mass
        sun.vy -= body.vy * body.mass / sun.mass
        sun.vz -= body.vz * body.mass / sun.mass
    return bodies


def step(bodies, time):
    for i, a in enumerate(bodies):
        for j in range(i + 1, len(bodies)):
            b = bodies[j]
            dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            square = dx * dx + dy * dy + dz * dz
            pull = time / (square * math.sqrt(square))
            a.vx -= dx * b.mass * pull
            a.vy -= dy * b.mass * pull
            a.vz -= dz * b.mass * pull
            b.vx += dx * a.mass * pull
            b.vy += dy * a.mass * pull
            b.vz += dz * a.mass * pull
    for body in bodies:
        body.x += time * body.vx
        body.y += time * body.vy
        body.z += time * body.vz


def energy(bodies):
    total = 0.0
    for i, a in enumerate(bodies):
        total += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
        for b in bodies[i + 1:]:
            dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            total -= a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    return total


def main(steps):
    bodies = system()
    before = energy(bodies)
    for _ in range(steps):
        step(bodies, 0.01)
    print(f"nbody {before:.9f} {energy(bodies):.9f}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
