package history

import "bootrace/results"

// What it takes for a shift to be a regression, and for none to be one.
const (
	// Alpha is how often a comparison of which nothing changed may say that something
	// moved, up or down: half of the one percent that is promised, for the figure that
	// a user can count has chance in it as well.
	Alpha = 0.005
	// MinBoots is how many boots with the measure each side needs. Of ten against ten
	// that do not overlap at all the rank statistic is 3.8, and twenty tests need 3.7.
	MinBoots = 10
	// FloorShare of the median before is the least shift of a time that counts; the
	// whole interval must be beyond it. The same image boots a few percent faster or
	// slower from one run to the next, and one run a side does not show how much.
	FloorShare = 0.05
	// FloorTime is the same for short times, in seconds: a few slices of the scheduler.
	FloorTime = 0.02
	// FloorCount is the same for counts, in each boot: one more in every tenth boot.
	FloorCount = 0.1
	// AimShare of the median before is the shift of a time that must be ruled out
	// before a time counts as unchanged.
	AimShare = 0.15
	// AimCount is the same for counts, in each boot: one more in every second boot.
	AimCount = 0.5
)

// Measure says how a measure of a boot is compared.
type Measure struct {
	Name   string // as in results
	Title  string // for people
	Time   bool   // seconds; else a count
	Higher bool   // higher is worse; else lower is
}

// Measures are those that are compared. Each costs the others some power.
func Measures() []Measure {
	return []Measure{
		{Name: results.MeasureMultiUser, Title: "boot time", Time: true, Higher: true},
		{Name: results.MeasureCredentials, Title: "time to credentials", Time: true, Higher: true},
		{Name: results.MeasureRestarts, Title: "restarts", Higher: true},
		{Name: results.MeasureHeadroom, Title: "start headroom"},
	}
}

// floor is the least shift that counts, by the median before.
func (m Measure) floor(median float64) float64 {
	if m.Time {
		return max(FloorShare*median, FloorTime)
	}
	return FloorCount
}

// aim is the shift that must be ruled out.
func (m Measure) aim(median float64) float64 {
	if m.Time {
		return max(AimShare*median, AimShare/FloorShare*FloorTime)
	}
	return AimCount
}
