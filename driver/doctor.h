/*
 * doctor.h - what on this machine makes timings noisy or the sandbox weak.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdio.h>

/* Examines the machine for about a second, prints one line for each thing
 * looked at and, where something is wrong, what to do about it. 0: the machine
 * can grade (there may be advice); 1: something that grading needs is missing. */
int doctor_run(FILE *out, int colour);

#endif
