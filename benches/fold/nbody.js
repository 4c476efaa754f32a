// Sun and four giant planets under gravity, so many steps of a hundredth of a day; prints the energy before and after.
'use strict';

const DAYS = 365.24;
const SOLAR_MASS = 4 * Math.PI * Math.PI;

class Body {
    constructor(x, y, z, vx, vy, vz, mass) {
        this.x = x;
        this.y = y;
        this.z = z;
        this.vx = vx * DAYS;
        this.vy = vy * DAYS;
        this.vz = vz * DAYS;
        this.mass = mass * SOLAR_MASS;
    }
}

function system() {
    const bodies = [
        new Body(0, 0, 0, 0, 0, 0, 1),
        new Body(4.841431442, -1.160320044, -0.103622044, 0.001660076, 0.007699011, -0.000069046, 0.000954792),
        new Body(8.343366718, 4.124798564, -0.403523417, -0.002767425, 0.004998528, 0.000023042, 0.000285886),
        new Body(12.894369562, -15.111151401, -0.223307579, 0.002964601, 0.002378472, -0.000029659, 0.000043662),
        new Body(15.379697115, -25.919314610, 0.179258773, 0.002680678, 0.001628242, -0.000095159, 0.000051514),
    ];
    // The sun moves so that the whole stays where it is.
    const sun = bodies[0];
    for (const body of bodies.slice(1)) {
        sun.vx -= body.vx * body.mass / sun.mass;
        sun.vy -= body.vy * body.mass / sun.mass;
        sun.vz -= body.vz * body.mass / sun.mass;
    }
    return bodies;
}

function step(bodies, time) {
    for (let i = 0; i < bodies.length; i++) {
        const a = bodies[i];
        for (let j = i + 1; j < bodies.length; j++) {
            const b = bodies[j];
            const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
            const square = dx * dx + dy * dy + dz * dz;
            const pull = time / (square * Math.sqrt(square));
            a.vx -= dx * b.mass * pull;
            a.vy -= dy * b.mass * pull;
            a.vz -= dz * b.mass * pull;
            b.vx += dx * a.mass * pull;
            b.vy += dy * a.mass * pull;
            b.vz += dz * a.mass * pull;
        }
    }
    for (const body of bodies) {
        body.x += time * body.vx;
        body.y += time * body.vy;
        body.z += time * body.vz;
    }
}

function energy(bodies) {
    let sum = 0;
    for (const [i, a] of bodies.entries()) {
        sum += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
        for (const b of bodies.slice(i + 1)) {
            const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
            sum -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

const steps = Number(process.argv[2] ?? 0);
const bodies = system();
const before = energy(bodies);
for (let i = 0; i < steps; i++) step(bodies, 0.01);
console.log(`nbody ${before.toFixed(9)} ${energy(bodies).toFixed(9)}`);
